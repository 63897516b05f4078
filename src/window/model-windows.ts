// What is known of the windows of each model: the step on which it stands, shared by all sessions and all names of
// its weights, and the window with which the engine holds it.
import type { EngineLoadedModel, EngineModel } from '../contract/engine.ts';

/** Ollama unloads a model five minutes after its last use unless told otherwise. Milliseconds. */
export const KEEP_ALIVE_MS = 5 * 60 * 1000;
/** What the engine said is good for this long: other clients may load it anew. Milliseconds. */
const FRESH_MS = 60_000;

/** What the engine loads for a model; its name where nobody could ask about it. */
export function weightsOf(model: EngineModel | null, name: string): string {
  return model?.weights ?? name;
}

/** All by the weights: names that share them share what is loaded. */
export interface ModelWindows {
  /** The step; null when the model was not used, or was unloaded since. */
  current(weights: string): number | null;
  /** The window with which the engine holds the model; null when that is not known. */
  loaded(weights: string): number | null;
  /** The window that the engine gives where nobody asks for one; null: not known. */
  own(weights: string): number | null;
  /** Whether the engine should be asked anew, now that it holds the model. */
  isStale(weights: string, window: number | null): boolean;
  /** A call was answered. @param window what it asked for; null: the engine's own default */
  noteUse(weights: string, window: number | null): void;
  /** A call has begun to answer: the engine holds the model until it ends, however long that takes. */
  beginUse(weights: string, window: number | null): ModelUse;
  /** The engine does not hold it any more, or its runner has died, whatever the engine says of it. */
  noteUnloaded(weights: string): void;
  /** A call of the ladder has raised the step. Never lowers: shrinking would reload the model for nothing. */
  raise(weights: string, window: number): void;
  /**
   * Takes what the engine says: all the models in its memory.
   * @param answering what answers at this moment, so that it must be among them under some name
   */
  learn(models: readonly EngineLoadedModel[], answering?: string): void;
}

/** From the first chunk of a call to its end. */
export interface ModelUse {
  /** Once; safe to call again. */
  end(): void;
}

interface Known {
  step: number | null;
  loaded: number | null;
  /** Whether the last use has left the window to the engine. */
  isOwn: boolean;
  /** What it gave then. */
  own: number | null;
  keepAliveMs: number;
  expiresAt: number;
  toldAt: number;
  /** Calls that are being answered. */
  uses: number;
  /** Its runner has died: the engine lists it until it is asked again. */
  isGone: boolean;
}

class Use implements ModelUse {
  /** Null: it has ended. */
  #model: Known | null;

  constructor(model: Known) {
    this.#model = model;
    model.uses += 1;
  }

  end(): void {
    if (this.#model !== null) this.#model.uses -= 1;
    this.#model = null;
  }
}

/** @param now a clock in milliseconds */
export function createModelWindows(now: () => number): ModelWindows {
  const models = new Map<string, Known>();
  /** Weights that an engine which does not name them has shown to be the same as others. */
  const sameAs = new Map<string, string>();

  function known(weights: string): Known {
    const key = sameAs.get(weights) ?? weights;
    const entry = models.get(key);
    if (entry !== undefined && (entry.uses > 0 || entry.expiresAt > now())) return entry;
    // Unloaded by now: the next load costs the same whatever its window, so nothing is left to protect.
    const fresh = nothingKnown(entry?.keepAliveMs ?? KEEP_ALIVE_MS);
    models.set(key, fresh);
    return fresh;
  }

  function noteUse(weights: string, window: number | null): Known {
    const entry = known(weights);
    if (window !== null) entry.loaded = window;
    entry.isGone = false;
    entry.isOwn = window === null;
    if (!entry.isOwn) entry.own = null;
    entry.expiresAt = now() + entry.keepAliveMs;
    return entry;
  }

  return {
    current: (weights) => known(weights).step,
    loaded: (weights) => known(weights).loaded,
    own: (weights) => known(weights).own,
    isStale(weights, window) {
      const { loaded, own, toldAt } = known(weights);
      if (window === null && own === null) return true;
      if (loaded === null || (window !== null && loaded !== window)) return true;
      return now() - toldAt > FRESH_MS;
    },
    noteUse: (weights, window) => void noteUse(weights, window),
    beginUse(weights, window) {
      return new Use(noteUse(weights, window));
    },
    noteUnloaded(weights) {
      const entry = known(weights);
      entry.loaded = null;
      entry.isGone = true;
    },
    raise(weights, window) {
      const entry = known(weights);
      entry.step = Math.max(entry.step ?? 0, window);
    },
    learn(told, answering) {
      const held = new Set(told.map(({ weights }) => weights));
      for (const weights of held) sameAs.delete(weights);
      const [only] = told;
      // What answers is in memory: where there is one model only, it is that, under another name.
      if (answering !== undefined && !held.has(answering) && only !== undefined && told.length === 1) {
        sameAs.set(answering, only.weights);
      }
      for (const [weights, { uses }] of models) {
        if (uses === 0 && !held.has(weights)) models.delete(weights);
      }
      for (const model of told) takeHeld(known(model.weights), model, now());
    },
  };
}

function nothingKnown(keepAliveMs: number): Known {
  return {
    step: null,
    loaded: null,
    isOwn: false,
    own: null,
    keepAliveMs,
    expiresAt: Number.POSITIVE_INFINITY,
    toldAt: Number.NEGATIVE_INFINITY,
    uses: 0,
    isGone: false,
  };
}

function takeHeld(entry: Known, { window, expiresInMs }: EngineLoadedModel, now: number): void {
  if (entry.isGone) return;
  entry.toldAt = now;
  if (window !== null) entry.loaded = window;
  if (window !== null && entry.isOwn) entry.own = window;
  if (expiresInMs === null) {
    // It is there at this moment, whatever was believed of its end.
    entry.expiresAt = Math.max(entry.expiresAt, now + entry.keepAliveMs);
    return;
  }
  entry.keepAliveMs = Math.max(entry.keepAliveMs, expiresInMs);
  entry.expiresAt = now + expiresInMs;
}
