// The server and its engine: which version, and whether there is an engine that answers.
import { signal } from '@preact/signals';
import type { Mochi } from '../../src/client/index.ts';
import { attemptUnasked, mochi } from './server.ts';

type Health = Awaited<ReturnType<Mochi['health']>>;

/** Null: not read yet. */
export const health = signal<Health | null>(null);
/** Another version of the server than the one that the page came from. */
export const isOutdated = signal(false);

/** That the page came from. */
let version: string | null = null;

export async function readHealth(): Promise<void> {
  const read = await attemptUnasked(() => mochi.health());
  if (read === null) return;
  health.value = read;
  compareVersion(read.version);
}

export function compareVersion(told: string): void {
  version ??= told;
  isOutdated.value = version !== told;
}

/** A part of the page is not where it was: while the server is there, the page is older than it. */
export async function missPart(): Promise<void> {
  if ((await attemptUnasked(() => mochi.health())) !== null) isOutdated.value = true;
}
