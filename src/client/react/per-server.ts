// What is there once for a server, for all components that want it.
import type { Mochi } from '../index.ts';

const ofServers = new WeakMap<Mochi, Map<string, unknown>>();

/** What was made before for the same server and name, else what is made now. */
export function perServer<T>(mochi: Mochi, name: string, make: () => T): T {
  const known = ofServers.get(mochi) ?? new Map<string, unknown>();
  ofServers.set(mochi, known);
  if (!known.has(name)) known.set(name, make());
  return known.get(name) as T;
}
