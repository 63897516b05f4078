import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../../../test/support/open-test-store.ts';
import { planOf } from '../../../../test/support/plan-of.ts';
import type { Db } from '../../database.ts';
import { closeLostExecutions, listLostExecutions } from '../../lost-executions.ts';
import { listUnknownDigests } from '../../tool-executions.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

it('hides values from the planner, and nothing else of them', async () => {
  const query = store.db.selectFrom('sessions').select('id').where('title', '=', 'What?').limit(3);
  expect(query.compile()).toMatchObject({
    sql: 'select "id" from "sessions" where "title" = +? limit +?',
    parameters: ['What?', 3],
  });
  for (const title of ['What?', '007', '']) await store.addSession(`of ${title}`, { title });
  const found = await store.db.selectFrom('sessions').select('id').where('title', '=', '007').execute();
  expect(found).toEqual([{ id: 'of 007' }]);
});

describe('partial indexes are found without a value', () => {
  const cut = { finishedAt: '', readOnly: '', other: '' };
  it.each([
    [
      'executions that were lost',
      (db) => listLostExecutions(db, { before: 'boot' }),
      'tool_executions_running',
    ],
    ['their end', (db) => closeLostExecutions(db, { before: 'boot' }, cut), 'tool_executions_running'],
    ['unknown outcomes', (db) => listUnknownDigests(db, 's'), 'tool_executions_unknown'],
  ] satisfies [string, (db: Db) => Promise<unknown>, string][])('%s', async (_name, ask, index) => {
    expect(await planOf(store.dataDir, ask)).toContain(index);
  });
});
