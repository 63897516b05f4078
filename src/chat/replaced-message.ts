// Edit and regenerate in one request: a message takes the place of one that is there, as a sibling of it.
import { invalidField, MochiError } from '../contract/errors.ts';
import { requireMessage } from '../sessions/require.ts';
import { moveHead } from '../store/active-path.ts';
import type { Db } from '../store/database.ts';
import type { PathMessage } from '../store/messages.ts';
import type { PathPlace } from '../store/path-place.ts';
import type { TurnRequest } from './turn-request.ts';

type Replacing = Pick<TurnRequest, 'message' | 'mode' | 'images' | 'replaces'>;

/**
 * A new message takes the place of a user message, an answer that of an answer.
 * @returns null: the request replaces nothing
 * @throws MochiError message_not_found, validation_error
 */
export async function findReplaced(
  db: Db,
  sessionId: string,
  { message, mode, replaces }: Replacing,
): Promise<PathMessage | null> {
  if (replaces === null) return null;
  if (message === null && mode === 'continue') {
    throw invalidField('/mode', 'must not be continue beside `replaces`, which answers anew');
  }
  const old = await requireMessage(db, sessionId, replaces.messageId);
  if (message !== null && old.role !== 'user') {
    throw invalidField(
      '/replaces',
      `must name a user message beside \`message\`: this one is of ${old.role}`,
    );
  }
  if (message === null && old.role !== 'assistant') {
    throw invalidField(
      '/replaces',
      `must name an answer, or come with a \`message\`: this one is of ${old.role}`,
    );
  }
  return old;
}

/** The message that an answer follows. @throws MochiError empty_history */
export function questionOf(sessionId: string, answer: PathMessage): PathPlace {
  const question = placeBefore(answer);
  if (question !== null) return question;
  throw new MochiError('empty_history', 'The answer follows no message: there is nothing to answer anew.', {
    session_id: sessionId,
    message_id: answer.message_id,
  });
}

/** Where a message hangs; null: at the root of the tree. */
export function placeBefore({ depth, parent_id: parentId }: PathMessage): PathPlace | null {
  // What clients see as the parent of a first message stands before the tree.
  return depth === 0 || parentId === null ? null : { id: parentId, depth: depth - 1 };
}

/** What is put after a message goes on its branch: that becomes the path, up to where a message hangs. */
export async function showBranchOf(
  db: Db,
  sessionId: string,
  { message, updatedAt }: { readonly message: PathMessage; readonly updatedAt: string },
): Promise<void> {
  if (!message.active) await moveHead(db, sessionId, placeBefore(message), updatedAt);
}
