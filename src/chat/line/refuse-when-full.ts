// When a line takes no more turns.
import { MochiError } from '../../contract/errors.ts';

/** Turns that may wait behind the one that runs (API.md §4, on_busy). */
const MAX_SESSION_QUEUE = 8;

interface Entry {
  /** Null for a change. */
  readonly turnId: string | null;
  readonly takesSlot: boolean;
}

/** Who takes the place of another needs none of its own. */
export function refuseWhenFull(
  sessionId: string,
  line: readonly Entry[],
  server: { readonly isFull: boolean; readonly queued: number; readonly atFront: boolean },
): void {
  const { isFull, queued, atFront } = server;
  const turns = line.filter(({ takesSlot }) => takesSlot);
  if (turns.length > MAX_SESSION_QUEUE + (atFront ? 1 : 0)) {
    throw lineFull(sessionId, turns[0]?.turnId ?? null);
  }
  if (isFull && !(atFront && turns.length > 0)) throw overloaded(queued);
}

function lineFull(sessionId: string, holder: string | null): MochiError {
  return new MochiError(
    'session_busy',
    `Session ${sessionId} is answering and ${MAX_SESSION_QUEUE} more messages wait. Wait for one of them to be answered, cancel one, or send on_busy: interrupt.`,
    { session_id: sessionId, turn_id: holder },
  );
}

function overloaded(queued: number): MochiError {
  return new MochiError('overloaded', 'Too many turns are waiting. Try again in a few seconds.', { queued });
}
