// What is shown of a conversation: its rows, with what is being written and what is being sent in their place.
import type { ChatState } from '../chat-store.ts';
import type { Message } from '../wire.ts';

export interface ShownMessage {
  /** The same while it is written and afterwards. */
  readonly id: string;
  readonly role: Message['role'];
  readonly content: string;
  /** Empty: none. */
  readonly thinking: string;
  /** `writing`: by the model; `sending`, `failed`: a message that no turn has confirmed; else that of the row. */
  readonly state: Message['status'] | 'writing' | 'sending' | 'failed';
  /** As it is stored; null: it is not there yet. */
  readonly row: Message | null;
}

interface Shown {
  readonly messages: readonly ShownMessage[];
  readonly isAnswering: boolean;
}

const ofRows = new WeakMap<Message, ShownMessage>();

/** The same message for the same row: what has not changed need not be drawn anew. */
function showRow(row: Message): ShownMessage {
  const { message_id: id, role, content, thinking, status: state } = row;
  const shown = ofRows.get(row) ?? { id, role, content, thinking: thinking ?? '', state, row };
  ofRows.set(row, shown);
  return shown;
}

export function showMessages({ rows, turn, outbox }: ChatState): Shown {
  const messages = [...rows].sort(([one], [other]) => one - other).map(([, row]) => showRow(row));
  const isAnswering = turn?.turnId != null && ['queued', 'running', 'waiting'].includes(turn.state);
  if (isAnswering && turn.messageId !== null) {
    const { messageId: id, content, thinking } = turn;
    const at = messages.findIndex((message) => message.id === id);
    const row = messages[at]?.row ?? null;
    messages[at === -1 ? messages.length : at] = {
      id,
      role: 'assistant',
      content,
      thinking,
      state: 'writing',
      row,
    };
  }
  if (outbox?.body.message && !outbox.body.replaces) {
    const { key: id, body, state } = outbox;
    messages.push({ id, role: 'user', content: body.message ?? '', thinking: '', state, row: null });
  }
  return { messages, isAnswering };
}
