// The thread that moves the log, as the server has it.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { MoveOutcome, MoveWay } from './move-log.ts';
import type { LogFill } from './write-log.ts';

/** It runs one small program: most of what a thread would take is never used. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/** Has a lifetime: until `close`, or until it fails. */
export class MovingThread {
  readonly #worker: Worker;
  /** Those who wait, in the order in which they asked. */
  #waiting: PromiseWithResolvers<LogFill>[] = [];
  #failure: Error | null = null;

  /** @param file of the database. It is opened now. */
  constructor(file: string) {
    // The folder holds `.ts` in the repository and `.js` in the package.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const program = new URL(`./move-log${extension}`, import.meta.url);
    this.#worker = new Worker(program, { workerData: file, resourceLimits: LIMITS, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (outcome: MoveOutcome) => {
      const asked = this.#waiting.shift();
      if ('failure' in outcome) asked?.reject(new Error(outcome.failure));
      else asked?.resolve(outcome);
    });
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('The thread has ended.')));
  }

  /** Moves what it can: as `readFill` has it. @returns how the log stands after that */
  move(way: MoveWay): Promise<LogFill> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const asked = Promise.withResolvers<LogFill>();
    this.#waiting.push(asked);
    this.#worker.postMessage(way, []);
    return asked.promise;
  }

  /** Ends after what it does now: its connection is closed before the last one is. */
  async close(): Promise<void> {
    if (this.#failure !== null) return;
    this.#worker.ref();
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('close', []);
    await ended;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const asked of this.#waiting.splice(0)) asked.reject(this.#failure);
  }
}
