// Clears deleted sessions, and what a killed import has left, while the server serves.

import { setImmediate } from 'node:timers/promises';
import { instantNow } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { clearSession, restAfter } from './clear-session.ts';
import type { Db } from './database.ts';
import { commitUnsynced } from './durable.ts';
import { condemnSession, findCondemned } from './hidden-sessions.ts';
import { mergeSlice } from './merge-index.ts';

/** How often somebody looks for what others have left, and tries again what has failed. */
const LOOK_MS = 60_000;

/** Has a lifetime: from the start of the server to `close`. */
export class Clearing {
  readonly #db: Db;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #isWanted = false;
  #isRunning = false;
  #isClosed = false;
  /** The search index has no marks of what was cleared here; those of an earlier run go when all is quiet. */
  #isMerged = true;

  constructor(deps: { readonly db: Db; readonly log: Log }) {
    this.#db = deps.db;
    this.#log = deps.log;
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), LOOK_MS);
    this.#timer.unref();
    this.wake();
  }

  /** There is something to clear. */
  wake(): void {
    this.#isWanted = true;
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    this.#running = this.#clearAll()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'a deleted session could not be cleared yet'))
      .finally(() => {
        this.#isRunning = false;
      });
  }

  /** Stops after the slice that is being cleared; the next start goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#running;
  }

  async #clearAll(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      await setImmediate();
      const sessionId = await findCondemned(this.#db, instantNow());
      if (sessionId === null) continue;
      this.#isWanted = true;
      if (!(await condemnSession(this.#db, sessionId, instantNow()))) continue;
      await clearSession(this.#db, sessionId, () => this.#isClosed);
      this.#isMerged = false;
    }
    while (!this.#isMerged && !this.#isClosed) {
      const startedAt = performance.now();
      this.#isMerged = await commitUnsynced(this.#db, mergeSlice);
      await restAfter(startedAt);
    }
  }
}
