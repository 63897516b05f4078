// From the sending of a model call to its first chunk: what the engine does meanwhile, as far as it can be known.
import type { EngineLoadedModel } from '../../contract/engine.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { restartModel } from './restart-model.ts';
import type { StepDeps } from './step-deps.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

type Status = Extract<TurnEvent, { event: 'status' }>['data'];

/** How often a silent engine is asked whether it holds the model, as a part of the silence that is too long. */
const LOOKS = 4;

/** What the client waits for first. */
export function waitingPhase(deps: StepDeps, { session }: RunningTurn, progress: TurnProgress): Status {
  const { receipt, place, model } = progress;
  if (receipt === null || place?.isBehind === true) return { phase: 'waiting_for_engine' };
  const { phase, estimateMs } = deps.modelRates.expect({
    weights: weightsOf(model, session.model),
    isLoaded: !receipt.reload_expected,
    promptTokens: receipt.planned_tokens,
  });
  return { phase, ...(estimateMs !== null && { estimate_ms: estimateMs }) };
}

/** Tells each change of what was told first. */
export function followWait(deps: StepDeps, turn: RunningTurn, progress: TurnProgress, first: Status): Wait {
  const wait = new Wait(turn, progress, first);
  if (first.phase === 'waiting_for_engine') {
    progress.place?.whenServed(() => wait.tell(waitingPhase(deps, turn, progress)));
  }
  // An engine that cannot be told to unload looks after itself, and says nothing of its loads.
  if (deps.stallMs !== null && deps.engine.unloadModel !== undefined) {
    void watchSilence(deps, wait, deps.stallMs);
  }
  return wait;
}

/** Has a lifetime: until the engine answers, or the call has ended. */
class Wait {
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
  isOver = false;
  #told: Status['phase'];
  /** Ends the pause between two looks. */
  #wake: (() => void) | null = null;

  constructor(turn: RunningTurn, progress: TurnProgress, first: Status) {
    this.turn = turn;
    this.progress = progress;
    this.#told = first.phase;
  }

  tell(status: Status): void {
    const { live } = this.turn;
    if (this.isOver || live.signal.aborted || this.#told === status.phase) return;
    this.#told = status.phase;
    live.append([{ event: 'status', data: status }]);
  }

  stop(): void {
    this.isOver = true;
    this.#wake?.();
  }

  /** Ends early when it is over. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#wake = end;
    });
  }
}

/**
 * Silence has three reasons that look alike: the model is being loaded after all, the engine answers somebody
 * else, or it has lost the request. Never throws.
 */
async function watchSilence(deps: StepDeps, wait: Wait, stallMs: number): Promise<void> {
  const { progress, turn } = wait;
  const { model, receipt } = progress;
  const weights = weightsOf(model, turn.session.model);
  const readingMs = deps.modelRates.slowest(weights, receipt?.planned_tokens ?? 0);
  // By its name where nobody could ask what it is.
  const isSame = (loaded: EngineLoadedModel) =>
    loaded.weights === weights || loaded.model === turn.session.model;
  let since = performance.now();
  for (;;) {
    await wait.pause(stallMs / LOOKS);
    if (wait.isOver) return;
    const held = await deps.engine.listLoaded().catch(() => null);
    if (wait.isOver) return;
    if (progress.place?.isBehind === true || held === null) {
      since = performance.now();
      continue;
    }
    if (!held.some((loaded) => loaded.window !== null && isSame(loaded))) {
      wait.tell({ phase: 'loading_model' });
      since = performance.now();
      continue;
    }
    const silence = performance.now() - since - readingMs;
    if (silence < stallMs / LOOKS) continue;
    wait.tell({ phase: silence < stallMs ? 'waiting_for_engine' : 'engine_stalled' });
    if (silence >= stallMs && restart(deps, wait, weights)) return;
  }
}

/** Once a turn. @returns whether the request is taken back for it */
function restart(deps: StepDeps, { progress, turn }: Wait, weights: string): boolean {
  const { place, isRestarted } = progress;
  if (place === null || isRestarted) return false;
  return place.stall(() => restartModel(deps, turn.session.model, weights));
}
