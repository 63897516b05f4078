// When the traces of deleted text are taken out of the file: once nobody has written for a moment.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { instantNow } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { findCondemned } from './hidden-sessions.ts';
import { readMeta } from './meta.ts';
import type { Store } from './open-store.ts';

/** Set by triggers of the database: text was deleted since it was last cleaned. */
const ERASE_DUE = 'erase_due';

const LOOK_MS = 1000;
/** After a failure, such as a full disk, or a backup that is being made. */
const PAUSE_MS = 10_000;

/** How long nobody must have written. */
const QUIET_MS = 3000;

/** Has a lifetime: from the start of the server to `close`. */
export class Erasure {
  readonly #store: Store;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #child: ChildProcess | null = null;
  #running: Promise<void> | null = null;
  #isRewriting = false;
  #pausedUntil = 0;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    store.onWait(() => this.#giveWay());
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Somebody waits to write: nothing is lost when the file is not rewritten now. */
  #giveWay(): void {
    if (this.#isRewriting) this.#child?.kill('SIGKILL');
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#child?.kill('SIGKILL');
    await this.#running;
  }

  #look(): void {
    const { guard, diskState, quietMs } = this.#store;
    const isQuiet = quietMs() >= QUIET_MS && guard.look() === null && diskState() === 'fine';
    if (this.#running !== null || !isQuiet || performance.now() < this.#pausedUntil) return;
    this.#running = this.#eraseIfDue()
      .catch((error: unknown) => {
        this.#pausedUntil = performance.now() + PAUSE_MS;
        this.#log.info({ err: error }, 'traces of deleted text could not be taken out of the database yet');
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async #eraseIfDue(): Promise<void> {
    const { db, guard } = this.#store;
    const mark = await readMeta(db, ERASE_DUE);
    if (mark === null || (await findCondemned(db, instantNow())) !== null) return;
    await guard.whileRewritten(() => this.#erase(mark));
  }

  async #erase(mark: string): Promise<void> {
    // The folder holds `.ts` in the repository and `.js` in the package.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const program = fileURLToPath(new URL(`./erase-deleted${extension}`, import.meta.url));
    const child = fork(program, [this.#store.file, mark], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-2000);
    });
    child.on('message', () => {
      this.#isRewriting = true;
    });
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('error', reject);
    child.once('close', (status) =>
      status === null || status === 0 ? resolve() : reject(new Error(stderr.trim())),
    );
    try {
      await promise;
    } finally {
      this.#child = null;
      this.#isRewriting = false;
    }
  }
}
