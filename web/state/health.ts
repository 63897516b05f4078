// The server and its engine: which version, and whether there is an engine that answers.
import { signal } from '@preact/signals';
import type { Mochi } from '../../src/client/index.ts';
import { attempt, mochi } from './server.ts';

type Health = Awaited<ReturnType<Mochi['health']>>;

/** Null: not read yet. */
export const health = signal<Health | null>(null);

export async function readHealth(): Promise<void> {
  const read = await attempt(() => mochi.health());
  // The version that the page came from stays what it was.
  if (read !== null) health.value = { ...read, version: health.value?.version ?? read.version };
}
