// What a session should look like, in a few lines of memory: the property test holds the server against it.

export interface ModelMessage {
  readonly id: string;
  readonly parent: ModelMessage | null;
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** A message whose id only the server knows yet. */
export type NewMessage = Omit<ModelMessage, 'id'>;

/** Immutable: an operation gives the next one. */
export interface ModelSession {
  readonly system: { readonly id: string; readonly content: string } | null;
  /** In creation order. */
  readonly messages: readonly ModelMessage[];
  readonly head: ModelMessage | null;
}

export const emptySession: ModelSession = { system: null, messages: [], head: null };

/** From the root to the head. */
export function pathTo(head: ModelMessage | null): ModelMessage[] {
  const path: ModelMessage[] = [];
  for (let message = head; message !== null; message = message.parent) path.unshift(message);
  return path;
}

/** Of all messages below one, or of the whole tree, the newest. */
export function newestLeaf({ messages }: ModelSession, top: ModelMessage | null): ModelMessage | null {
  return messages.findLast((message) => top === null || pathTo(message).includes(top)) ?? top;
}

function tipOf({ head }: ModelSession, mode: ModelChat['mode']): ModelMessage | null {
  if (head === null || head.role === 'user' || mode === 'continue') return head;
  return pathTo(head).findLast(({ role }) => role === 'user') ?? null;
}

export interface ModelChat {
  readonly message: string | null;
  readonly mode: 'regenerate' | 'continue';
}

/** What a chat answers: a message that is there, or a new one; null: there is nothing to answer. */
export function questionOf(
  session: ModelSession,
  { message, mode }: ModelChat,
): ModelMessage | NewMessage | null {
  const { head } = session;
  if (message === null) return tipOf(session, mode);
  // The same words again, while nobody has answered them, are the same message.
  if (head?.role === 'user' && head.content === message) return head;
  return { parent: head, role: 'user', content: message };
}

/** The session as its tree is shown. */
export function shownTree(session: ModelSession): object[] {
  const { system, messages, head } = session;
  const path = new Set(pathTo(head));
  const siblings = (parent: ModelMessage | null) => messages.filter((other) => other.parent === parent);
  return messages.map((message) => ({
    message_id: message.id,
    parent_id: message.parent?.id ?? system?.id ?? null,
    role: message.role,
    content: message.content,
    active: path.has(message),
    sibling_count: siblings(message.parent).length,
    sibling_index: siblings(message.parent).indexOf(message),
  }));
}
