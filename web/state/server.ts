// The server behind the page: one client for everything, and the key that it may want.
import { signal } from '@preact/signals';
import { createMochi, isMochiError, type MochiError } from '../../src/client/index.ts';
import { keep, recall } from '../lib/kept.ts';

const KEY = 'key';

/** Null: no key. */
let key = recall<string>(KEY, 'tab') ?? recall<string>(KEY);

/** Why the key that was given is of no use. */
type KeyFault = 'wrong' | 'away';

/** The page asks for a key; null: it does not. */
export const keyQuestion = signal<{ readonly fault: KeyFault | null } | null>(null);
/** What went wrong last; null: nothing, or it was read. */
export const problem = signal<MochiError | null>(null);
/** How far the engine is with fetching what it needs; null: it has it. */
export const engineWait = signal<MochiError | null>(null);

let answerKey: (() => void) | null = null;
let asking: Promise<boolean> | null = null;

const baseUrl = new URL('.', location.href).href;

export const mochi = createMochi({
  baseUrl,
  apiKey: () => key ?? undefined,
  onUnauthorized: ({ apiKey }) => {
    // Asked before the key was given, and refused after it.
    if ((apiKey ?? null) !== key) return true;
    asking ??= new Promise<boolean>((resolve) => {
      keyQuestion.value = { fault: key === null ? null : 'wrong' };
      answerKey = () => resolve(true);
    }).finally(() => {
      asking = null;
    });
    return asking;
  },
  waitForEngine: (error) => {
    engineWait.value = error;
  },
});

/** Tries it first: a wrong one is asked for again. @returns whether it is right */
export async function giveKey(given: string, isKept: boolean): Promise<boolean> {
  const fault = await faultOf(given);
  if (fault !== null) {
    keyQuestion.value = { fault };
    return false;
  }
  key = given;
  keep(KEY, given, 'tab');
  // One that is not accepted any more is not to be met again.
  keep(KEY, isKept ? given : null);
  keyQuestion.value = null;
  answerKey?.();
  return true;
}

async function faultOf(given: string): Promise<KeyFault | null> {
  try {
    await createMochi({ baseUrl, apiKey: given, retry: { tries: 1 } }).sessions.list({ limit: 1 });
    return null;
  } catch (error) {
    if (!isMochiError(error)) throw error;
    return error.status === 401 ? 'wrong' : 'away';
  }
}

export function forgetKey(): void {
  key = null;
  keep(KEY, null, 'tab');
  keep(KEY, null);
}

export function hasKey(): boolean {
  return key !== null;
}

/** Runs what a person asked for; what goes wrong is shown. @returns null then */
export async function attempt<T>(action: () => Promise<T>): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    if (!isMochiError(error)) throw error;
    problem.value = error;
    return null;
  }
}

/** The same for what nobody asked for: that the server is away is said in one place, and by whoever listens to it. */
export async function attemptUnasked<T>(action: () => Promise<T>): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    if (!isMochiError(error)) throw error;
    if (error.code !== 'unreachable') problem.value = error;
    return null;
  }
}
