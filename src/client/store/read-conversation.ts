// Reads of a conversation, one after the other: an older answer never takes the place of a newer one.
import { isMochiError } from '../errors.ts';
import type { Mochi } from '../index.ts';
import type { StateHolder } from './chat-state.ts';
import { inTurn } from './in-turn.ts';
import { newest } from './newest.ts';
import { addStretch, beginOfEnd, findIndex, missingIn, replaceFrom } from './path-rows.ts';

/** Longest stretch that is read at once. */
const LONGEST_STRETCH = 1000;

export interface ConversationReader {
  /** Status and the newest page, in the place of all that was read. */
  reload(): Promise<void>;
  status(): Promise<void>;
  /** The path from there on; negative: so many of its end. */
  refresh(from: number, limit?: number): Promise<void>;
  /** Status, and what was read of the end of the path; what lies apart from it is read when it is needed. */
  rereadLoaded(): Promise<void>;
  /** Reads the rows around a message. @returns its position; null: it is not on the path */
  locate(messageId: string): Promise<number | null>;
  /** What is not there yet, between two positions. */
  load(from: number, to: number): Promise<void>;
  /** Changes it: what is chosen last counts, whichever request would be the quicker one. */
  change<T>(run: () => Promise<T>): Promise<T>;
  /** Runs it; what goes wrong is the state's problem. @returns whether nothing did */
  attempt(run: () => Promise<unknown>): Promise<boolean>;
}

export function readConversation(
  mochi: Mochi,
  sessionId: string,
  holder: StateHolder,
  pageSize: number,
): ConversationReader {
  const inOrder = inTurn();
  // Beside the others.
  const newestStatus = newest();
  const readStatus = () => newestStatus(() => mochi.sessions.status(sessionId));

  const refresh = (from: number, limit = LONGEST_STRETCH) =>
    inOrder(async () => {
      const page = await mochi.messages.list(sessionId, { from, limit, images: 'omit' });
      holder.set({ total: page.total, rows: replaceFrom(holder.get().rows, page) });
    });

  async function status(): Promise<void> {
    const session = await readStatus();
    if (session !== null) holder.set({ session });
  }

  async function rereadEnd(): Promise<void> {
    const { rows, total } = holder.get();
    const from = Math.max(total - LONGEST_STRETCH, beginOfEnd(rows, total));
    const list = (query: { from: number; limit: number }) =>
      mochi.messages.list(sessionId, { ...query, images: 'omit' });
    let page = await list({ from, limit: LONGEST_STRETCH });
    // The other branch is shorter than what was read of this one.
    if (page.messages.length === 0) page = await list({ from: -pageSize, limit: pageSize });
    holder.set({ total: page.total, rows: replaceFrom(new Map(), page) });
  }

  return {
    status,
    refresh,
    reload: () =>
      inOrder(async () => {
        const [session, page] = await Promise.all([
          readStatus(),
          mochi.messages.list(sessionId, { from: -pageSize, limit: pageSize, images: 'omit' }),
        ]);
        holder.set({ ...(session && { session }), total: page.total, rows: replaceFrom(new Map(), page) });
      }),
    async rereadLoaded() {
      await Promise.all([inOrder(rereadEnd), status()]);
    },
    async locate(messageId) {
      let found: number | null = null;
      await inOrder(async () => {
        found = findIndex(holder.get().rows, (row) => row.message_id === messageId);
        if (found !== null) return;
        const page = await readAround(mochi, sessionId, { around: messageId, limit: pageSize });
        if (page === null) return;
        const at = page.messages.findIndex((message) => message.message_id === messageId);
        found = page.from + at;
        holder.set({ total: page.total, rows: addStretch(holder.get().rows, page) });
      });
      return found;
    },
    load: (from, to) =>
      inOrder(async () => {
        const { rows, total } = holder.get();
        const missing = missingIn(rows, Math.max(0, from), Math.min(to, total));
        if (missing === null) return;
        const limit = Math.min(LONGEST_STRETCH, missing.to - missing.from);
        const page = await mochi.messages.list(sessionId, { from: missing.from, limit, images: 'omit' });
        holder.set({ rows: addStretch(holder.get().rows, page) });
      }),
    change: inTurn(),
    async attempt(run) {
      try {
        await run();
        holder.set({ problem: null, link: 'live' });
        return true;
      } catch (error) {
        if (!isMochiError(error)) throw error;
        const link = error.code === 'unreachable' ? ({ link: 'offline' } as const) : {};
        holder.set({ problem: error, ...link });
        return false;
      }
    },
  };
}

async function readAround(mochi: Mochi, sessionId: string, query: { around: string; limit: number }) {
  try {
    return await mochi.messages.list(sessionId, { ...query, images: 'omit' });
  } catch (error) {
    if (isMochiError(error) && error.code === 'message_not_found') return null;
    throw error;
  }
}
