// Changes of approvals as they come, told from the rows: what a watcher sees is what is stored, in the order in which it
// was, whenever it began to watch.
import { MochiError } from '../contract/errors.ts';
import { findNewestChange, listChangedApprovals, type StoredApproval } from '../store/approvals.ts';
import type { Db } from '../store/database.ts';

/** Connections that may watch. */
const MAX_WATCHERS = 1000;
/** Approvals that are read at once. */
const BATCH = 50;

/** Has a lifetime: until `close`. */
export class ChangeFeed {
  readonly #db: Db;
  readonly #wakers = new Set<() => void>();
  #isClosed = false;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Something has changed. */
  wake(): void {
    for (const wake of this.#wakers) wake();
  }

  close(): void {
    this.#isClosed = true;
    this.wake();
  }

  /** @throws MochiError overloaded */
  watch(after: number | null, signal: AbortSignal): AsyncGenerator<readonly StoredApproval[], void> {
    if (this.#wakers.size < MAX_WATCHERS) return this.#follow(after, signal);
    throw new MochiError('overloaded', 'The approvals have too many watchers.');
  }

  async *#follow(after: number | null, signal: AbortSignal): AsyncGenerator<readonly StoredApproval[], void> {
    let isAwake = true;
    let resume: (() => void) | null = null;
    const wake = () => {
      isAwake = true;
      resume?.();
    };
    this.#wakers.add(wake);
    signal.addEventListener('abort', wake);
    try {
      const newest = await findNewestChange(this.#db);
      let seen = after ?? newest;
      // A number that there was not yet is of another database: as good as none.
      if (after === null || after > newest) {
        yield* this.#read({ after: 0, upTo: newest, isPending: true });
        seen = newest;
      }
      while (!this.#isClosed && !signal.aborted) {
        if (isAwake) {
          isAwake = false;
          const upTo = await findNewestChange(this.#db);
          yield* this.#read({ after: seen, upTo, isPending: false });
          seen = upTo;
        } else {
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      }
    } finally {
      this.#wakers.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }

  async *#read(range: {
    readonly after: number;
    readonly upTo: number;
    readonly isPending: boolean;
  }): AsyncGenerator<readonly StoredApproval[], void> {
    let { after } = range;
    for (let isMore = true; isMore; ) {
      const batch = await listChangedApprovals(this.#db, { ...range, after, limit: BATCH });
      isMore = batch.length === BATCH;
      after = batch.at(-1)?.change ?? after;
      if (batch.length > 0) yield batch;
    }
  }
}
