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
  /** The server has it, and it waits in line: it is not to be sent again. */
  readonly turnId?: string;
  /** No answer came: it is sent by itself when the server can be reached. */
  readonly waits?: true;
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

export interface Holder<State> {
  get(): State;
  set(change: Partial<State>): void;
  /** @returns what ends it */
  subscribe(listener: () => void): () => void;
}

export interface StateHolder extends Holder<ChatState> {
  setLink(link: Link): void;
}

/** Runs it soon: with the next frame, where there are any. */
export type Schedule = (run: () => void) => void;

export function holdState<State>(initial: State, schedule: Schedule = nextFrame): Holder<State> {
  const listeners = new Set<() => void>();
  let state = initial;
  let isScheduled = false;
  const tell = () => {
    isScheduled = false;
    for (const listener of listeners) listener();
  };
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change };
      if (!isScheduled) schedule(tell);
      isScheduled = true;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function holdChat(initial: ChatState, schedule?: Schedule): StateHolder {
  const holder = holdState(initial, schedule);
  return {
    ...holder,
    setLink(link) {
      if (link !== holder.get().link) holder.set({ link });
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
