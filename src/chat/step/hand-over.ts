// The end of a turn whose calls the client runs: their turn is over, and they stay open until a later request brings
// what came of them.
import type { TurnEvent } from '../../contract/turn-event.ts';
import { handCallsOver, listAnswerCalls } from '../../store/client-calls.ts';
import { findMessage } from '../../store/messages.ts';
import { updateSession } from '../../store/sessions.ts';
import { changeTurn } from '../../store/tenure.ts';
import { finishTurn } from '../../store/turns.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { toAnswer } from '../watch/replay-turn.ts';
import { CLOSING_EVENTS } from './finish-step.ts';
import { markAnswer } from './mark-answer.ts';
import type { RoundCall } from './read-round.ts';
import { nameOf } from './run-call.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';
import { windowChange, windowInfo } from './window-change.ts';

/** Stores it, then says so. @param handed the assistant message, and its calls that are left. @throws what the store throws */
export async function handOver(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  handed: { readonly messageId: string; readonly calls: readonly RoundCall[] },
): Promise<TurnEvent[]> {
  const { live, session } = turn;
  const { sessionId, turnId } = live;
  const { messageId, calls } = handed;
  const { receipt, mark, usage } = progress;
  const message = await findMessage(deps.db, sessionId, messageId);
  if (message === null || receipt === null) throw new Error('What is left to a client was asked for.');
  const { eval_count: outputTokens, prompt_eval_count: promptTokens } = message;
  const tokens = { outputTokens, promptTokens };
  const info = windowInfo(session.context_window, receipt, tokens);
  const finishedAt = deps.now();
  await changeTurn(deps.db, live, async (transaction) => {
    await handCallsOver(transaction, { sessionId, messageId });
    await markAnswer(transaction, turn, messageId);
    await updateSession(transaction, sessionId, {
      updated_at: finishedAt,
      ...(mark && { promptMark: mark }),
      ...(await windowChange(transaction, session, info, finishedAt)),
    });
    await finishTurn(transaction, turnId, {
      state: 'completed',
      finishedAt,
      error: null,
      messageId,
      usage,
      context: receipt,
      lastEventId: live.lastEventId + calls.length + CLOSING_EVENTS,
    });
  });
  const answer = {
    ...toAnswer(message),
    finish_reason: 'tool_calls' as const,
    tool_calls: await listAnswerCalls(deps.db, sessionId, messageId),
  };
  const told = calls.map((call): TurnEvent => {
    const data = { ...nameOf(call), execution_id: null, arguments: { ...call.arguments } };
    return { event: 'tool_call', data: { ...data, runs_at: 'client' } };
  });
  const { model, eval_count, prompt_eval_count, finish_reason } = answer;
  const data = { message_id: messageId, model, eval_count, prompt_eval_count, finish_reason };
  return [
    ...told,
    {
      event: 'message_complete',
      data: { ...data, context_window: info, message: answer, context: receipt, usage },
    },
  ];
}
