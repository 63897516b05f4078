// Models that are being fetched: one fetching of a name at a time, whoever asked for it and however many watch.
import type { DisconnectPolicy } from '../contract/chat.ts';
import type { Engine } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { PullState } from '../contract/server-event.ts';
import { ModelPull } from './model-pull.ts';

/** How often it is told how far one is. */
const TOLD_EVERY_MS = 500;

/** Has a lifetime: from the start of the server to `close`. */
export class ModelPulls {
  readonly #engine: Pick<Engine, 'pullModel'>;
  readonly #tell: (pull: PullState) => void;
  readonly #running = new Map<string, ModelPull>();

  /** @param tell called now and then while something is fetched, and at the end */
  constructor(engine: Pick<Engine, 'pullModel'>, tell: (pull: PullState) => void) {
    this.#engine = engine;
    this.#tell = tell;
  }

  get running(): readonly PullState[] {
    return Array.from(this.#running, ([name, pull]) => ({ name, ...pull.state }));
  }

  /**
   * Fetches a model, or joins those for whom it is being fetched.
   * @param policy what it means when all have left; the newest request decides
   */
  join(name: string, policy: DisconnectPolicy): JoinedPull {
    const pull = this.#find(name) ?? this.#begin(name);
    const { release } = pull.hold(policy);
    return { watch: (signal) => pull.watch(signal), release };
  }

  /** Stops all that are under way; what was fetched of them is kept. */
  async close(): Promise<void> {
    const running = [...this.#running.values()];
    for (const pull of running) pull.stop(interrupted());
    await Promise.all(running.map((pull) => pull.ended));
  }

  /** One that is being stopped is nothing to join. */
  #find(name: string): ModelPull | null {
    const pull = this.#running.get(name);
    return pull === undefined || pull.isStopping ? null : pull;
  }

  #begin(name: string): ModelPull {
    const pull = new ModelPull((signal) => this.#engine.pullModel(name, signal));
    this.#running.set(name, pull);
    void this.#tellOf(name, pull);
    return pull;
  }

  /** Never rejects. */
  async #tellOf(name: string, pull: ModelPull): Promise<void> {
    // One of that name that was begun since is what counts.
    const isCurrent = () => this.#running.get(name) === pull;
    let toldAt = Number.NEGATIVE_INFINITY;
    try {
      for await (const _progress of pull.watch(new AbortController().signal)) {
        if (!isCurrent() || performance.now() - toldAt < TOLD_EVERY_MS) continue;
        toldAt = performance.now();
        this.#tell({ name, ...pull.state });
      }
    } catch {
      // Its state says so.
    }
    if (!isCurrent()) return;
    this.#running.delete(name);
    this.#tell({ name, ...pull.state });
  }
}

export interface JoinedPull extends Pick<ModelPull, 'watch'> {
  /** The caller is gone, or has seen the end. */
  release(): void;
}

function interrupted(): MochiError {
  return new MochiError(
    'model_pull_failed',
    'The server is stopping. The next pull goes on where this one stopped.',
  );
}
