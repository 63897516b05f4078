// Actions on one thing, one after another.

/** The end of the line of each key that has one. */
const lines = new Map<string, Promise<unknown>>();

/** Runs the actions of a key in the order of the calls; other keys do not wait. @throws what the action throws */
export async function oneAtATime<T>(key: string, action: () => Promise<T>): Promise<T> {
  const before = lines.get(key) ?? Promise.resolve();
  const result = before.then(action);
  const settled = result.catch(() => undefined);
  lines.set(key, settled);
  try {
    return await result;
  } finally {
    if (lines.get(key) === settled) lines.delete(key);
  }
}
