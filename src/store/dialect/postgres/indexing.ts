// The words of what was written, cut beside the requests, so that hardly anybody who searches waits for it.
import type { Log } from '../../../kit/log.ts';
import type { Db } from '../../database.ts';
import { indexDue } from './index-due.ts';

const LOOK_MS = 1000;
/** Of one look: a large import takes many. */
const LONGEST_MS = 500;
/** After a failure: the database may be away. */
const PAUSE_MS = 10_000;

/** Has a lifetime: from the start of the server to `close`. */
export class Indexing {
  readonly #db: Db;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #pausedUntil = 0;

  constructor(db: Db, log: Log) {
    this.#db = db;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #look(): void {
    if (this.#running !== null || performance.now() < this.#pausedUntil) return;
    this.#running = this.#index().finally(() => {
      this.#running = null;
    });
  }

  async #index(): Promise<void> {
    try {
      await indexDue(this.#db, performance.now() + LONGEST_MS);
    } catch (error) {
      this.#pausedUntil = performance.now() + PAUSE_MS;
      this.#log.info({ err: error }, 'words for the search could not be stored yet');
    }
  }
}
