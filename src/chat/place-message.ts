// Puts the user message of a turn on the path. Inside the caller's transaction.
import { MochiError } from '../contract/errors.ts';
import { appendToPath } from '../store/active-path.ts';
import type { Db } from '../store/database.ts';
import { findMessage, type PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { QueuedMessage } from '../store/turns.ts';
import { answerHandedCalls } from './client-results.ts';
import { placeHistory } from './place-history.ts';
import { placeBefore, showBranchOf } from './replaced-message.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { PlacedHistory } from './turn-request.ts';

/** @returns where it lies */
export async function placeMessage(
  db: Db,
  placed: {
    readonly sessionId: string;
    readonly turnId: string;
    readonly message: QueuedMessage;
    /** The message whose sibling it is to be; null: it goes after the head. */
    readonly old: PathMessage | null;
    readonly head: PathPlace | null;
  },
): Promise<PathPlace> {
  const { sessionId, turnId, message, old, head } = placed;
  if (old !== null) await showBranchOf(db, sessionId, { message: old, updatedAt: message.timestamp });
  return appendToPath(db, old === null ? head : placeBefore(old), {
    sessionId,
    id: message.messageId,
    role: 'user',
    content: message.content,
    timestamp: message.timestamp,
    status: 'complete',
    turnId,
    images: message.images,
  });
}

/** One that waited in line. What it was to take the place of may have been taken back meanwhile: it is the last then. */
export async function placeQueuedMessage(
  deps: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  head: PathPlace | null,
  queued: { readonly sessionId: string; readonly turnId: string; readonly message: QueuedMessage },
): Promise<void> {
  const { db } = deps;
  const { sessionId, message } = queued;
  const { replaces, placed } = message;
  if (placed !== undefined) return placeQueuedHistory(deps, queued, placed);
  const old = replaces === undefined ? null : await findMessage(db, sessionId, replaces);
  const left = { sessionId, turnId: null, tip: head, results: [] };
  const tip = old === null ? await answerHandedCalls(deps, left) : head;
  await placeMessage(db, { ...queued, old, head: tip });
}

async function placeQueuedHistory(
  deps: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  turn: { readonly sessionId: string; readonly turnId: string },
  stored: object,
): Promise<void> {
  // Nobody else writes them.
  const placed = { ...(stored as PlacedHistory), refusesStray: false };
  try {
    await placeHistory(deps, turn, placed);
  } catch (error) {
    // What it was to follow may be gone, and nobody waits for an answer.
    if (!(error instanceof MochiError) || error.status >= 500) throw error;
  }
}
