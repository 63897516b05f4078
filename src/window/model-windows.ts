// The step on which each model stands, shared by all sessions: a session that needs less uses what is loaded.

export interface ModelWindows {
  current(model: string): number | null;
  /** Never lowers: shrinking would reload the model for nothing. */
  raise(model: string, window: number): void;
}

export function createModelWindows(): ModelWindows {
  const windows = new Map<string, number>();
  return {
    current: (model) => windows.get(model) ?? null,
    raise: (model, window) => {
      if (window > (windows.get(model) ?? 0)) windows.set(model, window);
    },
  };
}
