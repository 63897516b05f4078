// When the write-ahead log is moved into the database: when it has grown, by a thread that others do not wait for. A log
// that begins anew at the right moments stays small, however much is written.
import { setTimeout } from 'node:timers/promises';
import type { Log } from '../kit/log.ts';
import { MovingThread } from './moving-thread.ts';
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
/** The thread ends when it has had nothing to do for so long. */
const IDLE_MS = 30_000;

type Watched = Pick<Store, 'file' | 'guard' | 'diskState' | 'quietMs'> & { readonly writeLog: WriteLog };

/** Has a lifetime: from the start of the server to `close`. Before, after and when it fails SQLite moves the log itself. */
export class LogMoving {
  readonly #store: Watched;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #thread: MovingThread | null = null;
  #running: Promise<void> | null = null;
  #pausedUntil = 0;
  #pauseMs = PAUSE_MS;
  #usedAt = 0;
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
    await this.#endThread();
    this.#store.writeLog.setAuto(true);
  }

  #look(): void {
    const now = performance.now();
    if (this.#running !== null || now < this.#pausedUntil) return;
    if (this.#thread !== null && now - this.#usedAt > IDLE_MS) this.#run(() => this.#endThread());
    else if (this.#isDue()) this.#run(() => this.#move());
  }

  /** A database that is lost is not opened again by its name, and what the disk did not keep is not moved. */
  #isDue(): boolean {
    const { writeLog, guard, diskState, quietMs } = this.#store;
    // Nothing was written since it was looked at.
    if (this.#isShort && quietMs() > 3 * LOOK_MS) return false;
    const fill = writeLog.look();
    if (fill === null) return false;
    this.#isShort = fill.pages - fill.moved < WORTH_MOVING;
    if (this.#isShort) return false;
    return diskState() === 'fine' && guard.look() === null;
  }

  #run(action: () => Promise<void>): void {
    this.#running = action()
      .catch(async (error: unknown) => {
        this.#store.writeLog.setAuto(true);
        await this.#endThread();
        this.#pausedUntil = performance.now() + PAUSE_MS;
        this.#log.warn({ err: error }, 'the log could not be moved into the database yet');
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async #move(): Promise<void> {
    this.#thread ??= new MovingThread(this.#store.file);
    const thread = this.#thread;
    const fill = await thread.move('passive');
    this.#usedAt = performance.now();
    this.#store.writeLog.setAuto(false);
    if (fill.pages < TOO_LONG) return;
    let isWhole = false;
    await this.#store.writeLog.whileStill(async () => {
      const moving = thread.move('restart').then(({ pages, moved }) => {
        isWhole = moved >= pages;
      });
      await Promise.race([moving, setTimeout(STILL_MS, undefined, { ref: false })]);
    });
    // Somebody reads what is only in the log, as a backup does for minutes: trying again and again would help nobody.
    this.#pauseMs = isWhole ? PAUSE_MS : Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    if (!isWhole) this.#pausedUntil = performance.now() + this.#pauseMs;
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.close();
  }
}
