// Waiting that can be broken off, with nothing that some runtime lacks.

/** @throws what the signal was aborted with */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const done = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return unlessAborted(done, signal).finally(() => clearTimeout(timer));
}

/** The outcome of the promise, or of the signal if that comes first; the promise goes on by itself then. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

const LONGEST_DELAY_MS = 8000;

/** Doubles, give or take a quarter: those who were cut at the same time do not come back at the same time. */
export function backoff(failures: number, firstDelayMs: number): number {
  const delay = Math.min(LONGEST_DELAY_MS, firstDelayMs * 2 ** (failures - 1));
  return delay * (0.75 + Math.random() / 2);
}
