// When the write-ahead log is moved into the database: when it has grown, and outside of commits. A log that begins anew
// at the right moments stays small, however much is written.
import { setTimeout } from 'node:timers/promises';
import type { Log } from '../kit/log.ts';
import type { Store } from './open-store.ts';
import type { WriteLog } from './write-log.ts';

const LOOK_MS = 200;
/** As much as SQLite itself would wait for: 4 MiB. */
const WORTH_MOVING = 1000;
/**
 * While somebody writes all the time, there is always something that was not moved yet, and the log does not begin anew.
 * Beyond this, 16 MiB, everybody waits until the last of it was moved.
 */
const TOO_LONG = 4000;
/** How long everybody waits at most: a disk that hangs makes nobody wait who only reads. */
const STILL_MS = 1000;
/** After that did not help, or after a failure, as on a full disk. */
const PAUSE_MS = 2500;
const MAX_PAUSE_MS = 40_000;

type Watched = Pick<Store, 'guard' | 'diskState' | 'quietMs'> & { readonly writeLog: WriteLog };

/** Has a lifetime: from the start of the server to `close`. Before, after and when it fails SQLite moves the log itself. */
export class LogMoving {
  readonly #store: Watched;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #pausedUntil = 0;
  #pauseMs = PAUSE_MS;
  /** When it was looked at last. */
  #isShort = true;

  constructor(store: Watched, log: Log) {
    this.#store = store;
    this.#log = log;
    store.writeLog.setAuto(false);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    this.#store.writeLog.setAuto(true);
  }

  #look(): void {
    if (this.#running !== null || performance.now() < this.#pausedUntil) return;
    try {
      if (this.#isDue()) this.#run();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** A database that is lost is not opened again by its name, and what the disk did not keep is not moved. */
  #isDue(): boolean {
    const { writeLog, guard, diskState, quietMs } = this.#store;
    // Nothing was written since it was looked at.
    if (this.#isShort && quietMs() > 3 * LOOK_MS) return false;
    const { pages, moved } = writeLog.look();
    this.#isShort = pages - moved < WORTH_MOVING;
    if (this.#isShort) return false;
    return diskState() === 'fine' && guard.look() === null;
  }

  #run(): void {
    this.#running = this.#move()
      .catch((error: unknown) => this.#giveUp(error))
      .finally(() => {
        this.#running = null;
      });
  }

  /** For a while. */
  #giveUp(error: unknown): void {
    this.#store.writeLog.setAuto(true);
    this.#pausedUntil = performance.now() + PAUSE_MS;
    this.#log.warn({ err: error }, 'the log could not be moved into the database yet');
  }

  async #move(): Promise<void> {
    const { writeLog } = this.#store;
    const { pages } = await writeLog.move();
    writeLog.setAuto(false);
    if (pages < TOO_LONG) return;
    const isWhole = await this.#moveWhole();
    // Somebody reads what is only in the log, as a backup does for minutes: trying again and again would help nobody.
    this.#pauseMs = isWhole ? PAUSE_MS : Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    if (!isWhole) this.#pausedUntil = performance.now() + this.#pauseMs;
  }

  async #moveWhole(): Promise<boolean> {
    const { writeLog } = this.#store;
    const waited = new AbortController();
    let moving = Promise.resolve(false);
    await writeLog.whileStill(async () => {
      moving = writeLog.moveWhole();
      const tooLong = setTimeout(STILL_MS, undefined, { ref: false, signal: waited.signal });
      await Promise.race([moving, tooLong]).finally(() => waited.abort());
    });
    return await moving;
  }
}
