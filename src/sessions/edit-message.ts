// Editing a user message: a sibling with the new text; what followed the old one stays in the tree.
import { MochiError } from '../contract/errors.ts';
import type { EditedMessage } from '../contract/session.ts';
import { appendToPath } from '../store/active-path.ts';
import { listPath, type PathMessage, toContractMessage } from '../store/messages.ts';
import { changeIdleSession } from '../store/session-busy.ts';
import { requireMessage, requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';

/**
 * @param index position in the list of messages from 0, the system message included
 * @throws MochiError session_not_found, invalid_message_index
 */
export async function editMessage(
  deps: SessionDeps,
  sessionId: string,
  edit: { readonly index: number; readonly content: string },
): Promise<EditedMessage> {
  return changeIdleSession(deps.db, sessionId, async (transaction) => {
    const session = await requireSession(transaction, sessionId);
    const depth = session.systemId === null ? edit.index : edit.index - 1;
    const [old] = Number.isSafeInteger(depth)
      ? await listPath(transaction, sessionId, { from: depth, to: depth })
      : [];
    if (old === undefined || old.role !== 'user' || edit.index < 0) {
      throw invalidIndex(sessionId, edit.index, session.message_count, old);
    }
    const [parent] =
      depth === 0 ? [] : await listPath(transaction, sessionId, { from: depth - 1, to: depth - 1 });
    const id = deps.newId(10);
    await appendToPath(transaction, parent ? { id: parent.message_id, depth: parent.depth } : null, {
      sessionId,
      id,
      role: 'user',
      content: edit.content,
      timestamp: deps.now(),
      status: 'complete',
      images: old.images ?? [],
    });
    return {
      message: toContractMessage(await requireMessage(transaction, sessionId, id)),
      message_index: edit.index,
      message_count: edit.index + 1,
      session_id: sessionId,
    };
  });
}

function invalidIndex(
  sessionId: string,
  index: number,
  count: number,
  found: PathMessage | undefined,
): MochiError {
  const message =
    found === undefined
      ? `Session ${sessionId} has no message ${index}: ${count === 0 ? 'it is empty' : `its messages are numbered from 0 to ${count - 1}`}.`
      : `Message ${index} has the role ${found.role}. Only user messages can be edited: send the index of one.`;
  return new MochiError('invalid_message_index', message, { session_id: sessionId, message_index: index });
}
