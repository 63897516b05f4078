// What is shown of a conversation: immutable states, and who is told of them.
import type { MochiError } from '../errors.ts';
import type { Link } from '../options.ts';
import type { ChatBody } from '../resources/chat.ts';
import type { TurnView } from '../turn-view.ts';
import type { Message, SessionStatus } from '../wire.ts';

/** A request that no turn has confirmed: sent again under its key it is neither lost nor doubled. */
export interface Pending {
  readonly key: string;
  readonly body: ChatBody;
  readonly state: 'sending' | 'failed';
}

export interface ChatState {
  /** Null until it was read. */
  readonly session: SessionStatus | null;
  /** Messages of the path. */
  readonly total: number;
  /** Those that were read, by their position on the path. */
  readonly rows: ReadonlyMap<number, Message>;
  /** The turn that goes on, or the last one. While it lives, it draws the row of its `messageId`. */
  readonly turn: TurnView | null;
  readonly outbox: Pending | null;
  readonly link: Link;
  /** What went wrong last; null when something went well again. */
  readonly problem: MochiError | null;
}

export interface StateHolder {
  get(): ChatState;
  set(change: Partial<ChatState>): void;
  setLink(link: Link): void;
  subscribe(listener: () => void): () => void;
}

/** Runs it soon: with the next frame, where there are any. */
export type Schedule = (run: () => void) => void;

export function holdState(initial: ChatState, schedule: Schedule = nextFrame): StateHolder {
  const listeners = new Set<() => void>();
  let state = initial;
  let isScheduled = false;
  const tell = () => {
    isScheduled = false;
    for (const listener of listeners) listener();
  };
  const set = (change: Partial<ChatState>) => {
    state = { ...state, ...change };
    if (!isScheduled) schedule(tell);
    isScheduled = true;
  };
  return {
    get: () => state,
    set,
    setLink(link) {
      if (link !== state.link) set({ link });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const FRAME_MS = 16;

function nextFrame(run: () => void): void {
  const page = globalThis as {
    requestAnimationFrame?: (run: () => void) => unknown;
    document?: { readonly hidden?: boolean };
  };
  // A page that nobody sees has no frames.
  if (page.requestAnimationFrame === undefined || page.document?.hidden) setTimeout(run, FRAME_MS);
  else page.requestAnimationFrame(run);
}
