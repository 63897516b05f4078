// The list of conversations as state: read page by page, and anew when something in it has changed.
import { isMochiError, type MochiError } from '../errors.ts';
import type { Mochi } from '../index.ts';
import { holdState } from '../store/chat-state.ts';
import type { SessionListItem } from '../wire.ts';
import { hearEvents } from './hear-events.ts';
import type { Store } from './lingering.ts';

export interface SessionListOptions {
  /** Words that the title or the text has. */
  readonly q?: string;
  /** Conversations that are read at once, default: 50. */
  readonly pageSize?: number;
}

export interface SessionListState {
  /** The newest first; null: not read yet. */
  readonly sessions: readonly SessionListItem[] | null;
  readonly hasMore: boolean;
  /** What went wrong last; null when something went well again. */
  readonly problem: MochiError | null;
}

export interface SessionList extends Store<SessionListState> {
  loadMore(): Promise<void>;
  /** Reads anew what is shown. */
  refresh(): Promise<void>;
}

export const EMPTY_LIST: SessionListState = { sessions: null, hasMore: false, problem: null };
const LONGEST_PAGE = 1000;

/** Reads at once. */
export function createSessionList(mochi: Mochi, { q, pageSize = 50 }: SessionListOptions): SessionList {
  const { get, set, subscribe } = holdState(EMPTY_LIST);
  let wanted = pageSize;
  let isStale = false;
  let reading: Promise<void> | null = null;

  /** One at a time; what changes meanwhile is read once more. */
  async function read(): Promise<void> {
    while (isStale) {
      isStale = false;
      try {
        const limit = Math.min(wanted, LONGEST_PAGE);
        const page = await mochi.sessions.list({ limit, ...(q ? { q } : {}) });
        set({ sessions: page.sessions, hasMore: page.next_cursor !== null, problem: null });
      } catch (error) {
        if (!isMochiError(error)) throw error;
        set({ problem: error });
      }
    }
    reading = null;
  }
  const refresh = () => {
    isStale = true;
    reading ??= read();
    return reading;
  };
  const end = hearEvents(mochi, ({ event }) => {
    if (event === 'session' || event === 'reset') void refresh();
  });
  void refresh();
  return {
    getState: get,
    subscribe,
    refresh,
    loadMore() {
      wanted += pageSize;
      return refresh();
    },
    close: end,
  };
}
