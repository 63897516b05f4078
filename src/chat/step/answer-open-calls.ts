// Calls that a turn leaves behind when it ends: strict engines refuse a history in which a call has no answer.
import { appendToPath } from '../../store/active-path.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { findSession } from '../../store/sessions.ts';
import { answerToolCall, listOpenToolCalls, type OpenToolCall } from '../../store/tool-calls.ts';
import { abandonExecution } from '../../store/tool-executions.ts';
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
  why: CutBy = 'the turn ended',
): Promise<PathPlace | null> {
  const session = await findSession(db, sessionId);
  let head: PathPlace | null =
    session === null || session.headId === null ? null : { id: session.headId, depth: session.headDepth };
  for (const open of await listOpenToolCalls(db, sessionId)) {
    const { messageId, callIndex, call, name, hasBegun } = open;
    const id = newId(10);
    const { content, text } = hasBegun ? failure(cutText(open, why)) : notRun(name, 'the turn ended first');
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
    const key = { sessionId, messageId, callIndex };
    await answerToolCall(db, key, { messageId: id, success: false });
    if (hasBegun) await abandonExecution(db, key, { finishedAt: now(), error: text });
  }
  return head;
}

/** What has ended, so that nobody hears of the result. */
export type CutBy = 'the turn ended' | 'the server stopped';

/** What is said of a run that was cut: whether it may have taken effect depends on what the tool does. */
export function cutRuns(why: CutBy): { readonly readOnly: string; readonly other: string } {
  return {
    readOnly: `${why} while this ran; it can be called again`,
    other: `${why} while this ran; it may have taken effect`,
  };
}

function cutText({ name, isReadOnly }: OpenToolCall, why: CutBy): string {
  if (isReadOnly) return cutRuns(why).readOnly;
  return `${why} before Tool '${name}' had answered; it may have taken effect`;
}
