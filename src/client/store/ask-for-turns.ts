// What the user asks for: each a request in the outbox, and then a turn that is followed to its end.
import { isMochiError } from '../errors.ts';
import { newKey } from '../resources/ask-turn.ts';
import type { ChatBody } from '../resources/chat.ts';
import type { ChatState, Pending } from './chat-state.ts';
import { findIndex } from './path-rows.ts';
import type { StoreDeps } from './store-deps.ts';

/** Of a request, besides the message and what it is about. */
export type SendSettings = Omit<ChatBody, 'message' | 'mode' | 'replaces'>;

/** @param join for whatever the session is at afterwards */
export function askForTurns(deps: StoreDeps, join: () => Promise<void>) {
  const { mochi, sessionId, holder, reader, turns } = deps;
  const isPending = (key: string) => holder.get().outbox?.key === key;
  /** Only the turn of a request confirms it: another one may have been sent since. */
  const confirm = (key: string) => isPending(key) && holder.set({ outbox: null });

  /** @param base where the path changes by it; null: at its end */
  async function ask({ key, body }: Pick<Pending, 'key' | 'body'>, base: number | null): Promise<void> {
    if (holder.get().outbox?.state === 'sending')
      throw new Error('One message at a time: the last is being sent.');
    holder.set({ outbox: { key, body, state: 'sending' }, problem: null });
    const { setLink: onLink } = holder;
    const turn = mochi.chat.stream(sessionId, body, { leave: 'continue', idempotencyKey: key, onLink });
    turn.id.then(
      (turnId) => isPending(key) && holder.set({ outbox: { key, body, state: 'sending', turnId } }),
      async (error: unknown) => {
        // Told now: its turn may stand behind another one.
        await reader.attempt(() => Promise.reject(error));
        if (!isPending(key)) return;
        const isUnheard = isMochiError(error) && error.code === 'unreachable';
        holder.set({ outbox: { key, body, state: 'failed', ...(isUnheard && { waits: true as const }) } });
      },
    );
    await turns.follow({ turn, base, onStart: () => confirm(key) });
    await join();
  }

  /** One that the server had when an earlier store was closed: it is waited for where it is. */
  async function waitFor({ key, body }: Pending, turnId: string): Promise<void> {
    const turn = mochi.turns.watch(turnId, { onLink: holder.setLink });
    await turns.follow({ turn, base: null, onStart: () => confirm(key) });
    if (isPending(key) && !turns.hasLeft) holder.set({ outbox: { key, body, state: 'failed' } });
    await join();
  }

  /** What no server has heard goes when there is one. */
  function sendWaiting(): void {
    const { outbox, session, link } = holder.get();
    if (outbox?.state !== 'failed' || !outbox.waits || session === null) return;
    if (link === 'live' || link === 'polling') void ask(outbox, null);
  }

  const begin = (body: ChatBody, base: number | null = null) => ask({ key: newKey(), body }, base);
  /** One that was not read may be anywhere. */
  const indexOf = (messageId: string) =>
    findIndex(holder.get().rows, (row) => row.message_id === messageId) ?? 0;

  return {
    send: (message: string, settings: SendSettings = {}) => begin({ ...settings, message }),
    goOn: (settings: SendSettings = {}) => begin({ ...settings, message: null, mode: 'continue' }),
    /** The request of the outbox. */
    again: (pending: Pending) => ask(pending, null),
    waitFor,
    sendWaiting,

    regenerate: (messageId: string | null = null, settings: SendSettings = {}) =>
      messageId === null
        ? begin({ ...settings, message: null, mode: 'regenerate' }, afterLastQuestion(holder.get()))
        : begin({ ...settings, message: null, replaces: messageId }, indexOf(messageId)),
    edit: (messageId: string, message: string, settings: SendSettings = {}) =>
      begin({ ...settings, message, replaces: messageId }, indexOf(messageId)),
  };
}

/** Where the answer to the last question of the user begins. */
function afterLastQuestion({ rows, total }: ChatState): number | null {
  for (let index = total - 1; index >= 0; index -= 1) {
    const row = rows.get(index);
    if (row === undefined) return null;
    if (row.role === 'user') return index + 1;
  }
  return null;
}
