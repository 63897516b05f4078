// What it costs to find the place of a long history: counted, not timed.
import { CompiledQuery, type KyselyPlugin } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { placeHistory } from '../../src/chat/place-history.ts';
import type { PlacedMessage } from '../../src/chat/turn-request.ts';
import { chainOf } from '../../src/sessions/match-history.ts';
import { findLongestMark, insertMark } from '../../src/store/history-marks.ts';
import { openTestStore, type TestStore, TIME } from '../support/open-test-store.ts';

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

let ids = 0;
const said = (count: number): PlacedMessage[] =>
  Array.from({ length: count }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: `message ${at}`,
  }));

/** Places it, and tells how many statements that took. */
async function place(messages: readonly PlacedMessage[]): Promise<number> {
  let statements = 0;
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      statements += 1;
      return result;
    },
  };
  const db = store.db.withPlugin(counting);
  const chain = chainOf('key', messages);
  await findLongestMark(
    db,
    chain.answers.map(({ hash }) => hash),
  );
  await placeHistory(
    { db, newId: () => `id${(ids += 1)}`, now: () => TIME },
    { sessionId: 's', turnId: 'turn_1' },
    { after: 'nothing', messages, chain, system: null, refusesStray: false },
  );
  return statements;
}

/** As if the conversation had been told so far. */
async function mark(messages: readonly PlacedMessage[]): Promise<void> {
  const row = await store.db
    .selectFrom('sessions')
    .select('head_id')
    .where('id', '=', 's')
    .executeTakeFirstOrThrow();
  await insertMark(store.db, {
    hash: chainOf('key', messages).end,
    sessionId: 's',
    messageId: row.head_id ?? '',
  });
}

it('is the same for two messages and for ten thousand, once they are known', async () => {
  const costs: number[] = [];
  for (const length of [2, 10_000]) {
    const history = said(length);
    await place(history);
    await mark(history);
    costs.push(await place([...history, { role: 'user', content: `and after ${length}?` }]));
  }
  const [few = 0, many] = costs;
  expect(few).toBeGreaterThan(3);
  expect(many).toBe(few);
  const { rows } = await store.db.executeQuery<{ count: number }>(
    CompiledQuery.raw(`select count(*) as count from messages where session_id = 's'`),
  );
  // Both histories begin alike.
  expect(rows[0]?.count).toBe(10_000 + 2);
});

it('grows by a statement for each two hundred messages that are new', async () => {
  expect(await place(said(10_001))).toBeLessThan(100);
});
