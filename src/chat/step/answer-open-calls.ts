// Calls that a turn leaves behind when it ends: strict engines refuse a history in which a call has no answer.
import { appendToPath } from '../../store/active-path.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { findSession } from '../../store/sessions.ts';
import { answerToolCall, listOpenToolCalls } from '../../store/tool-calls.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { failure, notRun } from './call-result.ts';

/**
 * Says of each what is known: it was never begun, or it was, and its outcome is not known. Inside the caller's
 * transaction.
 * @returns the head of the path then
 */
export async function answerOpenCalls(
  { db, newId, now }: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  sessionId: string,
): Promise<PathPlace | null> {
  const session = await findSession(db, sessionId);
  let head: PathPlace | null =
    session === null || session.headId === null ? null : { id: session.headId, depth: session.headDepth };
  for (const { messageId, callIndex, call, name, hasBegun } of await listOpenToolCalls(db, sessionId)) {
    const id = newId(10);
    const { content } = hasBegun
      ? failure(`the turn ended before Tool '${name}' had answered; it may have taken effect`)
      : notRun(name, 'the turn ended first');
    head = await appendToPath(db, head, {
      sessionId,
      id,
      role: 'tool',
      content,
      timestamp: now(),
      status: 'complete',
      toolName: name,
      toolCallId: call.id,
    });
    await answerToolCall(db, { sessionId, messageId, callIndex }, { messageId: id, success: false });
  }
  return head;
}
