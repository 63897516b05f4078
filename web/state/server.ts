// The server behind the page: one client for everything, and the key that it may want.
import { signal } from '@preact/signals';
import { createMochi, isMochiError, type MochiError } from '../../src/client/index.ts';

const KEY = 'mochi.key';

/** Null: no key. */
let key: string | null = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);

/** The page asks for a key; null: it does not. */
export const keyQuestion = signal<{ readonly wasWrong: boolean } | null>(null);
/** What went wrong last; null: nothing, or it was read. */
export const problem = signal<MochiError | null>(null);
/** How far the engine is with fetching what it needs; null: it has it. */
export const engineWait = signal<MochiError | null>(null);

/** Answers to what was asked without the key may come so late. */
const LATE_MS = 3000;
let givenAt = Number.NEGATIVE_INFINITY;
let answerKey: (() => void) | null = null;
let asking: Promise<boolean> | null = null;

export const mochi = createMochi({
  baseUrl: new URL('.', location.href).href,
  apiKey: () => key ?? undefined,
  onUnauthorized: () => {
    // Asked before the key was given, and refused after it.
    if (performance.now() - givenAt < LATE_MS) return true;
    asking ??= new Promise<boolean>((resolve) => {
      keyQuestion.value = { wasWrong: key !== null };
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

/** Tries it first: a wrong one is asked for again. */
export async function giveKey(given: string, isKept: boolean): Promise<void> {
  const headers = { authorization: `Bearer ${given}` };
  const { status } = await fetch(new URL('api/v1/health', location.href.split('#', 1)[0]), { headers });
  if (status === 401) {
    keyQuestion.value = { wasWrong: true };
    return;
  }
  key = given;
  givenAt = performance.now();
  sessionStorage.setItem(KEY, given);
  if (isKept) localStorage.setItem(KEY, given);
  keyQuestion.value = null;
  answerKey?.();
}

export function forgetKey(): void {
  key = null;
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
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
