// Which windows an engine could not load a model with, for want of memory: they are not tried again for a while.

/** Memory may be free again after this time. Milliseconds. */
const REMEMBERED_MS = 60 * 60 * 1000;
/** Where no smaller window has loaded either, half of one is tried, down to this. Tokens. */
const LEAST_WINDOW = 2048;

/** All by the weights. */
export interface LoadFailures {
  /** The largest window that may be tried; null: any. */
  loadable(weights: string): number | null;
  /** A window could not be loaded. */
  noteFailed(weights: string, window: number): void;
  /** A window was loaded. */
  noteLoaded(weights: string, window: number): void;
  /** Whether a window of just this size was loaded before. */
  hasLoaded(weights: string, window: number): boolean;
  /** The engine seems to have been started anew. */
  forget(weights: string): void;
}

interface Failure {
  readonly failed: number;
  readonly at: number;
  readonly departures: number;
}

/**
 * @param now a clock in milliseconds
 * @param departures how often the engine was seen to go away: with what is free then, it may load more
 */
export function createLoadFailures(now: () => number, departures: () => number): LoadFailures {
  const failures = new Map<string, Failure>();
  const loaded = new Map<string, Set<number>>();

  return {
    loadable(weights) {
      const failure = failures.get(weights);
      if (failure === undefined || now() - failure.at > REMEMBERED_MS) return null;
      if (failure.departures !== departures()) return null;
      const { failed } = failure;
      const smaller = [...(loaded.get(weights) ?? [])].filter((window) => window < failed);
      if (smaller.length > 0) return Math.max(...smaller);
      return Math.max(Math.min(failed, LEAST_WINDOW), Math.floor(failed / 2));
    },
    noteFailed(weights, window) {
      failures.set(weights, { failed: window, at: now(), departures: departures() });
      loaded.get(weights)?.delete(window);
    },
    noteLoaded(weights, window) {
      const windows = loaded.get(weights) ?? new Set();
      loaded.set(weights, windows.add(window));
      const failure = failures.get(weights);
      if (failure !== undefined && window >= failure.failed) failures.delete(weights);
    },
    hasLoaded: (weights, window) => loaded.get(weights)?.has(window) === true,
    forget: (weights) => void failures.delete(weights),
  };
}
