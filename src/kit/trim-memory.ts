// V8 is in no hurry to give memory back: a start leaves much garbage behind, and many streams at once leave room for more.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** One full collection: gives tens of megabytes back to the system. Takes tens of milliseconds. */
export function trimMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

const LOOK_MS = 5000;
/** Less is not worth the pause. */
const GROWN_BYTES = 16 * 1024 * 1024;
/** Of the time between two looks. */
const BUSY_SHARE = 0.05;

/** Has a lifetime: its timer runs until `stop`. Memory is trimmed when it has grown and nobody would notice the pause. */
export class IdleTrim {
  readonly #progress: () => number;
  #timer: NodeJS.Timeout | null = null;
  #seen = 0;
  #lookedAt = performance.now();
  #cpu = process.cpuUsage();
  #bytes = process.memoryUsage.rss();

  /** @param progress another number whenever something is being told to somebody */
  constructor(progress: () => number) {
    this.#progress = progress;
    this.#seen = progress();
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** @returns whether memory was trimmed */
  look(): boolean {
    const isIdle = this.#isIdle();
    if (!isIdle || process.memoryUsage.rss() - this.#bytes < GROWN_BYTES) return false;
    trimMemory();
    this.#bytes = process.memoryUsage.rss();
    return true;
  }

  /** Since the last look. */
  #isIdle(): boolean {
    const [progress, now] = [this.#progress(), performance.now()];
    const { user, system } = process.cpuUsage(this.#cpu);
    const share = (user + system) / 1000 / (now - this.#lookedAt);
    const isIdle = progress === this.#seen && share < BUSY_SHARE;
    this.#seen = progress;
    this.#lookedAt = now;
    this.#cpu = process.cpuUsage();
    return isIdle;
  }
}
