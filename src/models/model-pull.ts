// The fetching of one model, apart from any connection.
import type { DisconnectPolicy } from '../contract/chat.ts';
import type { PullProgress } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { PullState } from '../contract/server-event.ts';
import { Bell } from '../kit/bell.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';

/** Has a lifetime: from the first request to the last byte, or to its failure. Who watches comes and goes. */
export class ModelPull {
  readonly #abort = new AbortController();
  readonly #bell = new Bell();
  #newest: PullProgress | null = null;
  /** What it failed with; undefined: it has not, or not yet. */
  #failure: unknown;
  #hasEnded = false;
  /** Connections of requests for it that are open, and what the newest of these requests said. */
  #holders = 0;
  #policy: DisconnectPolicy = 'cancel';
  /** Resolves when nothing is fetched any more; never rejects. */
  readonly ended: Promise<void>;

  constructor(run: (signal: AbortSignal) => AsyncIterable<PullProgress>) {
    this.ended = this.#drive(run);
  }

  /** How far it is, and what has become of it. */
  get state(): Omit<PullState, 'name'> {
    const { completed = null, total = null } = this.#newest ?? {};
    return { completed, total, state: this.#stateName() };
  }

  get isStopping(): boolean {
    return this.#abort.signal.aborted;
  }

  stop(reason: MochiError): void {
    this.#abort.abort(reason);
  }

  /**
   * A request for it. Which of several connections is seen to close last is chance: so the newest request decides
   * whether it goes on when all are gone.
   * @returns what to call, once or more often, when the connection is
   */
  hold(policy: DisconnectPolicy): { release(): void } {
    let isHeld = true;
    this.#holders += 1;
    this.#policy = policy;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#holders -= 1;
        if (this.#holders === 0 && this.#policy === 'cancel') this.stop(left());
      },
    };
  }

  /**
   * How far it is, again and again: the newest, and nothing is gathered for who looks seldom. Ends when the model can
   * be used.
   * @throws what it failed with; the signal's reason
   */
  async *watch(signal: AbortSignal): AsyncGenerator<PullProgress, void> {
    let seen: PullProgress | null = null;
    for (;;) {
      signal.throwIfAborted();
      if (this.#newest !== null && this.#newest !== seen) {
        seen = this.#newest;
        yield seen;
      } else if (!this.#hasEnded) {
        await unlessAborted(this.#bell.rung, signal);
      } else if (this.#failure === undefined) {
        return;
      } else {
        throw this.#failure;
      }
    }
  }

  #stateName(): PullState['state'] {
    if (!this.#hasEnded) return 'running';
    if (this.#failure === undefined) return 'completed';
    return this.isStopping ? 'cancelled' : 'failed';
  }

  async #drive(run: (signal: AbortSignal) => AsyncIterable<PullProgress>): Promise<void> {
    try {
      for await (const progress of run(this.#abort.signal)) {
        this.#newest = progress;
        this.#bell.ring();
      }
    } catch (error) {
      this.#failure = this.#abort.signal.aborted ? this.#abort.signal.reason : error;
    } finally {
      this.#hasEnded = true;
      this.#bell.ring();
    }
  }
}

function left(): MochiError {
  return new MochiError(
    'model_pull_failed',
    'Whoever asked for the model has left. The next pull goes on where this one stopped.',
  );
}
