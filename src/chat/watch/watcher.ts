// One who watches a turn. An object of a few fields and no generator: most of the time it waits, and what waits with it
// would be held for as long.
import type { ToldEvent } from './turn-log.ts';

type Batch = readonly ToldEvent[];

export interface Watch extends AsyncIterableIterator<Batch, void> {
  /** It leaves. */
  return(value: void): Promise<Result>;
}

/** What is watched. */
export interface Watched {
  readonly isFinished: boolean;
  readonly lastEventId: number;
  /** What only those who watch at the end are told. */
  readonly farewell: Batch;
  read(seen: number): Batch;
  /** Another one watches, and is woken by what comes. */
  enter(watcher: Watcher): void;
  leave(watcher: Watcher): void;
}

type Result = IteratorResult<Batch, void>;

const OVER: Result = { done: true, value: undefined };

/** Has a lifetime: from when it first asks until there is nothing more, or it leaves. */
export class Watcher implements Watch {
  readonly #watched: Watched;
  readonly #signal: AbortSignal;
  /** No further than what has this number. */
  readonly #end: number;
  #seen: number;
  #state: 'new' | 'here' | 'over' = 'new';
  /** Of whoever waits for what comes next. */
  #resolve: ((result: Result | Promise<Result>) => void) | null = null;
  #isWoken = false;

  constructor(
    watched: Watched,
    { after, end, signal }: { readonly after: number; readonly end: number; readonly signal: AbortSignal },
  ) {
    this.#watched = watched;
    this.#seen = after;
    this.#end = end;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#state === 'new') this.#begin();
    const result = this.#take();
    if (result !== null) return Promise.resolve(result);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  return(): Promise<Result> {
    this.#leave();
    this.#answer();
    return Promise.resolve(OVER);
  }

  /** There may be something for it. What comes in one go is told in one. */
  readonly wake = (): void => {
    if (this.#resolve === null || this.#isWoken) return;
    this.#isWoken = true;
    queueMicrotask(() => this.#answer());
  };

  #begin(): void {
    const { isFinished, lastEventId } = this.#watched;
    // Nobody has seen what has not been told.
    if (!isFinished) this.#seen = Math.min(this.#seen, lastEventId);
    this.#state = 'here';
    this.#watched.enter(this);
    this.#signal.addEventListener('abort', this.wake);
  }

  #answer(): void {
    this.#isWoken = false;
    const resolve = this.#resolve;
    if (resolve === null) return;
    let result: Result | Promise<Result> | null;
    try {
      result = this.#take();
    } catch (error) {
      // Of whoever waits: thrown here it would end the server.
      this.#leave();
      result = Promise.reject(error);
    }
    if (result === null) return;
    this.#resolve = null;
    resolve(result);
  }

  /** @returns null: there is nothing yet */
  #take(): Result | null {
    const watched = this.#watched;
    if (this.#state === 'over') return OVER;
    if (!this.#signal.aborted) {
      if (this.#seen < Math.min(this.#end, watched.lastEventId)) {
        const value = watched.read(this.#seen);
        this.#seen = watched.lastEventId;
        return { done: false, value };
      }
      if (!watched.isFinished && this.#seen < this.#end) return null;
      if (watched.farewell.length > 0) {
        this.#leave();
        return { done: false, value: watched.farewell };
      }
    }
    this.#leave();
    return OVER;
  }

  #leave(): void {
    if (this.#state === 'here') {
      this.#watched.leave(this);
      this.#signal.removeEventListener('abort', this.wake);
    }
    this.#state = 'over';
  }
}
