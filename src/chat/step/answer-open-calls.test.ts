// What a kill leaves of calls: each is answered with what is known of it.
import { expect, it } from 'vitest';
import { openTestStore, TIME } from '../../../test/support/open-test-store.ts';
import { listPath } from '../../store/messages.ts';
import { insertToolCalls, listCallsOfTurn, startToolCall } from '../../store/tool-calls.ts';
import { answerOpenCalls } from './answer-open-calls.ts';

it('a call that was running may have taken effect, one that was not begun has not', async () => {
  const store = await openTestStore();
  const { db } = store;
  const question = await store.append(null, 'question');
  await store.append(question, 'asking', { role: 'assistant', turnId: 'turn_1' });
  const meant = { name: 'write_file', arguments: { n: 1 } };
  await insertToolCalls(db, { sessionId: 's', messageId: 'asking' }, [
    { id: 'a', name: 'Write-File', arguments: '{"n":"1"}', meant },
    { id: 'b', name: 'add', arguments: {} },
  ]);
  await startToolCall(db, { sessionId: 's', messageId: 'asking', callIndex: 0 });
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
    { id: 'a', name: 'add', arguments: {} },
  ]);
  const answer = () => answerOpenCalls({ db, newId: () => 'answer', now: () => TIME }, 's');
  await answer();
  await expect(startToolCall(db, { sessionId: 's', messageId: 'asking', callIndex: 0 })).rejects.toThrow(
    'no longer open',
  );
  // Were it open again, the next turn would answer it a second time.
  await answer();
  expect((await listPath(db, 's')).filter(({ role }) => role === 'tool')).toHaveLength(1);
  await store.close();
});
