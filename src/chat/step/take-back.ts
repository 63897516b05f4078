// Takes a user message off the path again when the engine refuses it (too long, images it cannot see) before the first
// token. Left there, it would stand before every message that follows.
import { type ErrorKindName, MochiError } from '../../contract/errors.ts';
import { moveHead } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import { deleteMessage, findMessage } from '../../store/messages.ts';
import { findSession } from '../../store/sessions.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** Refusals of the message itself, and what to do instead. */
const WAYS_OUT: Partial<Record<ErrorKindName, string>> = {
  context_overflow: ' Shorten it, or use a model or a window that holds more.',
  // Its own text says it.
  images_not_supported: '',
};

/** Whether a failure leaves nothing of its turn worth keeping. */
export function leavesNothing(
  { ownsTip }: RunningTurn,
  { draft, messageId }: TurnProgress,
  failure: MochiError,
): boolean {
  const isUnanswered =
    messageId === null && (draft === null || (draft.isEmpty && draft.toolCalls.length === 0));
  return WAYS_OUT[failure.kind] !== undefined && ownsTip && isUnanswered;
}

/** Inside the caller's transaction. @returns whether the message is gone: something may have been said after it */
export async function takeBackMessage(db: Db, { session, tip, headBefore }: RunningTurn): Promise<boolean> {
  const { session_id: sessionId } = session;
  const now = await findSession(db, sessionId);
  const message = await findMessage(db, sessionId, tip.id);
  if (now === null || message === null || now.headId !== tip.id) return false;
  // A change of the settings meanwhile is one.
  const updatedAt = now.updated_at === message.timestamp ? session.updated_at : now.updated_at;
  await moveHead(db, sessionId, headBefore, updatedAt);
  await deleteMessage(db, sessionId, tip.id);
  return true;
}

/** What the client is told: the id that it knows from `turn_start` stands for nothing any more. */
export function takenBack(failure: MochiError): MochiError {
  // The words of an engine may end without a full stop; our own say already what to do.
  const said = /[.!?]$/.test(failure.message) ? failure.message : `${failure.message}.`;
  const wayOut = said.includes('Shorten') ? '' : (WAYS_OUT[failure.kind] ?? '');
  return new MochiError(failure.kind, `${said} The message was taken back.${wayOut}`, {
    ...failure.details,
    message_taken_back: true,
  });
}
