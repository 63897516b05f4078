// What a kill leaves of calls: each is answered with what is known of it.
import { expect, it } from 'vitest';
import { executionStart } from '../../../test/support/execution-start.ts';
import { openTestStore, TIME } from '../../../test/support/open-test-store.ts';
import { listPath } from '../../store/messages.ts';
import { listCallsOfTurn } from '../../store/settled-calls.ts';
import { type CallPlan, insertToolCalls } from '../../store/tool-calls.ts';
import { startExecution } from '../../store/tool-executions.ts';
import { answerOpenCalls } from './answer-open-calls.ts';

const RUNS: CallPlan = { verdict: 'run', rule: 'allow', digest: 'd', repairs: [] };

it('a call that was running may have taken effect, one that was not begun has not', async () => {
  const store = await openTestStore();
  const { db } = store;
  const question = await store.append(null, 'question');
  await store.append(question, 'asking', { role: 'assistant', turnId: 'turn_1' });
  const meant = { name: 'write_file', arguments: { n: 1 } };
  await insertToolCalls(db, { sessionId: 's', messageId: 'asking' }, [
    { id: 'a', name: 'Write-File', arguments: '{"n":"1"}', meant, plan: RUNS },
    { id: 'b', name: 'add', arguments: {} },
  ]);
  await startExecution(db, { sessionId: 's', messageId: 'asking', callIndex: 0 }, executionStart('exec_1'));
  let ids = 0;
  await answerOpenCalls({ db, newId: () => `id${(ids += 1)}`, now: () => TIME }, 's');
  expect((await listPath(db, 's')).slice(2)).toMatchObject([
    {
      role: 'tool',
      tool_name: 'write_file',
      toolCallId: 'a',
      content: "Error: the turn ended before Tool 'write_file' had answered; it may have taken effect",
    },
    {
      role: 'tool',
      tool_name: 'add',
      toolCallId: 'b',
      content: "Tool 'add' was not run: the turn ended first",
    },
  ]);
  expect(await listCallsOfTurn(db, 's', 'turn_1')).toMatchObject([
    { ...meant, success: false },
    { name: 'add', arguments: {}, success: false },
  ]);
  await store.close();
});

it('a call that has its answer does not begin any more', async () => {
  const store = await openTestStore();
  const { db } = store;
  const question = await store.append(null, 'question');
  await store.append(question, 'asking', { role: 'assistant', turnId: 'turn_1' });
  await insertToolCalls(db, { sessionId: 's', messageId: 'asking' }, [
    { id: 'a', name: 'add', arguments: {}, plan: RUNS },
  ]);
  const answer = () => answerOpenCalls({ db, newId: () => 'answer', now: () => TIME }, 's');
  await answer();
  const key = { sessionId: 's', messageId: 'asking', callIndex: 0 };
  await expect(startExecution(db, key, executionStart('exec_1'))).rejects.toThrow('no longer open');
  // Were it open again, the next turn would answer it a second time.
  await answer();
  expect((await listPath(db, 's')).filter(({ role }) => role === 'tool')).toHaveLength(1);
  await store.close();
});

it('of a run that was cut is known what the tool is: one that only reads had no effect, and can be called again', async () => {
  const store = await openTestStore();
  const { db } = store;
  const question = await store.append(null, 'question');
  await store.append(question, 'asking', { role: 'assistant', turnId: 'turn_1' });
  const key = (callIndex: number) => ({ sessionId: 's', messageId: 'asking', callIndex });
  await insertToolCalls(db, key(0), [
    { id: 'a', name: 'look', arguments: {}, plan: RUNS },
    { id: 'b', name: 'write', arguments: {}, plan: RUNS },
  ]);
  await startExecution(db, key(0), executionStart('exec_1', { readOnly: true }));
  await startExecution(db, key(1), executionStart('exec_2'));
  let ids = 0;
  await answerOpenCalls({ db, newId: () => `id${(ids += 1)}`, now: () => TIME }, 's', 'the server stopped');
  const texts = [
    'the server stopped while this ran; it can be called again',
    "the server stopped before Tool 'write' had answered; it may have taken effect",
  ];
  expect((await listPath(db, 's')).slice(2).map(({ content }) => content)).toEqual(
    texts.map((text) => `Error: ${text}`),
  );
  const runs = await db
    .selectFrom('tool_executions')
    .select(['id', 'state', 'error'])
    .orderBy('id')
    .execute();
  expect(runs).toEqual([
    { id: 'exec_1', state: 'failed', error: texts[0] },
    { id: 'exec_2', state: 'unknown', error: texts[1] },
  ]);
  await store.close();
});

it('a call begins where its plan says so, or a person has approved just what begins', async () => {
  const store = await openTestStore();
  const { db } = store;
  const question = await store.append(null, 'question');
  await store.append(question, 'asking', { role: 'assistant', turnId: 'turn_1' });
  const key = (callIndex: number) => ({ sessionId: 's', messageId: 'asking', callIndex });
  await insertToolCalls(db, key(0), [
    { id: 'a', name: 'write', arguments: {}, plan: { ...RUNS, verdict: 'refuse' } },
    { id: 'b', name: 'write', arguments: {}, plan: { ...RUNS, verdict: 'ask' } },
    { id: 'c', name: 'write', arguments: {} },
  ]);
  const begin = (callIndex: number, digest = 'd') =>
    startExecution(db, key(callIndex), { ...executionStart(`exec_${callIndex}`), digest });
  for (const callIndex of [0, 1, 2]) await expect(begin(callIndex)).rejects.toThrow('may not run');
  const approval = {
    change: 1,
    kind: 'tool' as const,
    session_id: 's',
    turn_id: 'turn_1',
    message_id: 'asking',
    call_index: 1,
    body: '{}',
    created_at: TIME,
  };
  const decision = JSON.stringify({ decision: 'edit', digest: 'edited' });
  await db
    .insertInto('approvals')
    .values([
      { ...approval, id: 'conf_1', state: 'approved', digest: 'd', decision },
      { ...approval, id: 'conf_2', change: 2, call_index: 0, state: 'denied', digest: 'd', decision },
    ])
    .execute();
  await expect(begin(1)).rejects.toThrow('may not run');
  await expect(begin(0, 'edited')).rejects.toThrow('may not run');
  expect(await begin(1, 'edited')).toBe(1);
  await store.close();
});
