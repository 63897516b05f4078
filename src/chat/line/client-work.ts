// Work for a client that is not a turn (a summary on request): it takes a slot like a turn, waits in the same line, and
// ends with its session.

import type { MochiError } from '../../contract/errors.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { TurnLines } from './place.ts';
import { untilReady } from './until-ready.ts';

interface RunningWork {
  readonly sessionId: string;
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
}

/** Has a lifetime: from the start of the server to its end. */
export class ClientWork {
  readonly #deps: Pick<TurnDeps, 'background' | 'newId'>;
  readonly #lines: TurnLines;
  readonly #running = new Set<RunningWork>();

  constructor(deps: Pick<TurnDeps, 'background' | 'newId'>, lines: TurnLines) {
    this.#deps = deps;
    this.#lines = lines;
  }

  /** Runs it when there is room. @throws MochiError overloaded; the reason of the stop; what the action throws */
  async run<T>(sessionId: string, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const result = this.#runInLine(abort.signal, action);
    const work = { sessionId, abort, ended: result.catch(() => undefined) };
    this.#running.add(work);
    return result.finally(() => this.#running.delete(work));
  }

  /** @param sessionId of which session; all when it is left out */
  stop(reason: MochiError, sessionId?: string): void {
    for (const work of this.#running) {
      if (sessionId === undefined || work.sessionId === sessionId) work.abort.abort(reason);
    }
  }

  /** Resolves when none runs. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running].map(({ ended }) => ended));
  }

  async #runInLine<T>(signal: AbortSignal, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    // A line of its own: turns of the session need not wait for it, nor it for them.
    const workId = `work_${this.#deps.newId(12)}`;
    const place = this.#lines.enter(workId, workId);
    const hold = this.#deps.background.hold();
    try {
      await untilReady(place.ready, signal);
      return await action(signal);
    } finally {
      place.leave();
      hold.release();
    }
  }
}
