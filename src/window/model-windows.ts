// What is known of the windows of each model: the step on which it stands, shared by all sessions, and the
// window with which the engine holds it.
import type { EngineLoadedModel } from '../contract/engine.ts';

/** Ollama unloads a model five minutes after its last use unless told otherwise. Milliseconds. */
export const KEEP_ALIVE_MS = 5 * 60 * 1000;
/** What the engine said is good for this long: other clients may load it anew. Milliseconds. */
const FRESH_MS = 60_000;

export interface ModelWindows {
  /** The step; null when the model was not used, or was unloaded since. */
  current(model: string): number | null;
  /** The window with which the engine holds the model; null when that is not known. */
  loaded(model: string): number | null;
  /** Whether the engine should be asked anew, now that it holds the model. */
  isStale(model: string, window: number | null): boolean;
  /** A call has begun to answer. @param window what it asked for; null: the engine's own default */
  noteUse(model: string, window: number | null): void;
  /** A call of the ladder has raised the step. Never lowers: shrinking would reload the model for nothing. */
  raise(model: string, window: number): void;
  /** Takes what the engine says: all the models in its memory. */
  learn(models: readonly EngineLoadedModel[]): void;
}

interface Known {
  step: number | null;
  loaded: number | null;
  keepAliveMs: number;
  expiresAt: number;
  toldAt: number;
}

/** @param now a clock in milliseconds */
export function createModelWindows(now: () => number): ModelWindows {
  const models = new Map<string, Known>();

  function known(model: string): Known {
    const entry = models.get(model);
    if (entry !== undefined && entry.expiresAt > now()) return entry;
    // Unloaded by now: the next load costs the same whatever its window, so nothing is left to protect.
    const fresh = {
      step: null,
      loaded: null,
      keepAliveMs: entry?.keepAliveMs ?? KEEP_ALIVE_MS,
      expiresAt: Number.POSITIVE_INFINITY,
      toldAt: Number.NEGATIVE_INFINITY,
    };
    models.set(model, fresh);
    return fresh;
  }

  return {
    current: (model) => known(model).step,
    loaded: (model) => known(model).loaded,
    isStale(model, window) {
      const { loaded, toldAt } = known(model);
      if (loaded === null || (window !== null && loaded !== window)) return true;
      return now() - toldAt > FRESH_MS;
    },
    noteUse(model, window) {
      const entry = known(model);
      if (window !== null) entry.loaded = window;
      entry.expiresAt = now() + entry.keepAliveMs;
    },
    raise(model, window) {
      const entry = known(model);
      entry.step = Math.max(entry.step ?? 0, window);
    },
    learn(told) {
      const names = new Set(told.map(({ model }) => model));
      for (const model of models.keys()) if (!names.has(model)) models.delete(model);
      for (const { model, window, expiresInMs } of told) {
        const entry = known(model);
        entry.toldAt = now();
        if (window !== null) entry.loaded = window;
        if (expiresInMs === null) continue;
        entry.keepAliveMs = Math.max(entry.keepAliveMs, expiresInMs);
        entry.expiresAt = now() + expiresInMs;
      }
    },
  };
}
