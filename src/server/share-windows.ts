// Servers on one database that ask one engine tell each other with which window they have a model loaded: who asked for
// another one would make the engine load it anew.
import { hostname } from 'node:os';
import type { Log } from '../kit/log.ts';
import { isLoopbackHost } from '../kit/loopback.ts';
import type { Db } from '../store/database.ts';
import { type ToldWindow, tellWindow } from '../store/told-windows.ts';
import type { ModelWindows } from '../window/model-windows.ts';

interface Sharing {
  readonly db: Db;
  readonly log: Log;
  readonly ollamaHost: string;
}

/** The same, and a call that begins with another window than the last one is told to the others. */
export function shareWindows(own: ModelWindows, { db, log, ollamaHost }: Sharing): ModelWindows {
  return {
    ...own,
    beginUse(weights, window) {
      const isNew = window !== null && own.loaded(weights) !== window;
      const use = own.beginUse(weights, window);
      if (isNew) {
        const told = { engine: placeOf(ollamaHost), weights, window, step: own.current(weights) };
        tellWindow(db, told).catch((error: unknown) => {
          log.warn({ err: error }, 'other servers could not be told which window a model has');
        });
      }
      return use;
    },
  };
}

/** What another server has told, or this one itself. */
export function hearWindow(own: ModelWindows, ollamaHost: string, payload: string): void {
  const told = readTold(payload);
  // Windows of another engine say nothing.
  if (told === null || told.engine !== placeOf(ollamaHost)) return;
  if (told.step !== null) own.raise(told.weights, told.step);
  own.noteUse(told.weights, told.window);
}

/** Null: another version says it in another way. */
function readTold(payload: string): ToldWindow | null {
  try {
    const { engine, weights, window, step = null } = Object(JSON.parse(payload)) as Partial<ToldWindow>;
    if (typeof engine !== 'string' || typeof weights !== 'string' || typeof window !== 'number') return null;
    return { engine, weights, window, step };
  } catch {
    return null;
  }
}

/** Names an engine, for whichever server asks it. */
export function placeOf(ollamaHost: string): string {
  return isLoopbackHost(new URL(ollamaHost).hostname) ? `${hostname()} ${ollamaHost}` : ollamaHost;
}
