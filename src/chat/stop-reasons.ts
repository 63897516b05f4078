// Why turns are stopped, and why requests are turned away.
import { MochiError, PART_IS_KEPT } from '../contract/errors.ts';
import type { CancelReason } from '../store/turn-owners.ts';

/** @param isWaiting its turn waits for a person */
export function noActiveTurn(sessionId: string): MochiError {
  return new MochiError(
    'no_active_turn',
    `Session ${sessionId} is not answering: there is nothing to cancel.`,
    { session_id: sessionId },
  );
}

export function cancelled(): MochiError {
  return new MochiError('turn_cancelled', `The turn was cancelled${PART_IS_KEPT}.`);
}

/** Also of turns of other sessions that work for it. */
export function deleted(sessionId: string): MochiError {
  return new MochiError('turn_cancelled', `The turn was cancelled: the session ${sessionId} was deleted.`, {
    deleted_session_id: sessionId,
  });
}

/** @param sessionId of the turn */
export function stopReason(wanted: CancelReason, sessionId: string): MochiError {
  return wanted === 'deleted' ? deleted(sessionId) : cancelled();
}

export function isDeletionOf({ details }: MochiError, sessionId: string): boolean {
  return details['deleted_session_id'] === sessionId;
}

/** What a client can do whose request waits for nobody. */
export const WAIT_FOR_IT = 'Stream the answer, or send on_approval: wait or return.';

/** No route for agents takes `message: null`. */
export function wordForRun(failure: MochiError): MochiError {
  const { kind, fact, details, advice } = failure;
  if (advice === null || advice === WAIT_FOR_IT) return failure;
  return new MochiError(kind, fact, details, 'Run the agent with this session_id to go on.');
}

/** Nothing of it is kept, and there is no session to go on with: its client has all that was said. */
export function wordForPassing({ kind, fact, details, advice }: MochiError): MochiError {
  const said = fact.replace(PART_IS_KEPT, '');
  return new MochiError(kind, said, details, advice === null ? null : 'Send the request again.');
}

export function interrupted(): MochiError {
  return new MochiError(
    'turn_interrupted',
    `The server is stopping${PART_IS_KEPT}.`,
    {},
    'Send message: null when it is back.',
  );
}
