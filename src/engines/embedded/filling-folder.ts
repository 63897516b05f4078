// How far a program is that fetches into a folder and tells nothing itself: by what lies there.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PullProgress } from '../../contract/engine.ts';

export interface Filling<T> {
  readonly status: string;
  readonly folder: string;
  /** What will lie there in the end, as far as it is known. Bytes. */
  readonly total: number;
  /** The program; the signal ends it. */
  readonly run: (signal: AbortSignal) => Promise<T>;
}

/** How often is looked. Milliseconds. */
const LOOK_EVERY_MS = 500;
/** Until the program says itself that all is there. */
const MOST = 0.99;

/** Leaving the iteration ends the program. @returns what it came to */
export async function* watchFilling<T>(
  { status, folder, total, run }: Filling<T>,
  signal: AbortSignal,
): AsyncGenerator<PullProgress, T> {
  const left = new AbortController();
  const work = run(AbortSignal.any([signal, left.signal])).finally(() => left.abort());
  // Its end is told below; until then nobody waits for it.
  work.catch(() => undefined);
  try {
    for (let found = 0; !left.signal.aborted; found = await sizeOf(folder)) {
      yield { status, completed: Math.min(found, Math.floor(total * MOST)), total };
      await delay(LOOK_EVERY_MS, undefined, { signal: left.signal }).catch(() => undefined);
    }
    return await work;
  } finally {
    left.abort();
    await work.catch(() => undefined);
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => sizeOfFile(join(parentPath, name))),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What has gone since was temporary. */
function sizeOfFile(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
