// Reads of a conversation, one after the other: an older answer never takes the place of a newer one.
import { isMochiError } from '../errors.ts';
import type { Mochi } from '../index.ts';
import type { StateHolder } from './chat-state.ts';
import { addStretch, missingIn, replaceFrom } from './path-rows.ts';

/** Longest stretch that is read at once. */
const LONGEST_STRETCH = 1000;

export interface ConversationReader {
  /** Status and the newest page, in the place of all that was read. */
  reload(): Promise<void>;
  status(): Promise<void>;
  /** The path from there on; negative: so many of its end. */
  refresh(from: number, limit?: number): Promise<void>;
  /** Status, and the path from the first row that was read. */
  rereadLoaded(): Promise<void>;
  /** What is not there yet, between two positions. */
  load(from: number, to: number): Promise<void>;
  /** Runs it; what goes wrong is the state's problem. @returns whether nothing did */
  attempt(run: () => Promise<unknown>): Promise<boolean>;
}

export function readConversation(
  mochi: Mochi,
  sessionId: string,
  holder: StateHolder,
  pageSize: number,
): ConversationReader {
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = (run: () => Promise<void>): Promise<void> => {
    const done = last.then(run);
    last = done.catch(() => undefined);
    return done;
  };

  const refresh = (from: number, limit = LONGEST_STRETCH) =>
    inOrder(async () => {
      const page = await mochi.messages.list(sessionId, { from, limit, images: 'omit' });
      holder.set({ total: page.total, rows: replaceFrom(holder.get().rows, page) });
    });

  async function status(): Promise<void> {
    holder.set({ session: await mochi.sessions.status(sessionId) });
  }

  return {
    status,
    refresh,
    reload: () =>
      inOrder(async () => {
        const [session, page] = await Promise.all([
          mochi.sessions.status(sessionId),
          mochi.messages.list(sessionId, { from: -pageSize, limit: pageSize, images: 'omit' }),
        ]);
        holder.set({ session, total: page.total, rows: replaceFrom(new Map(), page) });
      }),
    async rereadLoaded() {
      const { rows, total } = holder.get();
      await Promise.all([refresh(Math.min(...rows.keys(), total)), status()]);
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
