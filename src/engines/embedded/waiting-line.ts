// One at a time, in the order of arrival.

export interface WaitingLine {
  /** Resolves when it is one's turn. @returns what lets the next one in @throws the signal's reason */
  enter(signal: AbortSignal): Promise<() => void>;
}

export function createWaitingLine(): WaitingLine {
  let last: Promise<void> = Promise.resolve();
  return {
    async enter(signal) {
      const before = last;
      const { promise, resolve: leave } = Promise.withResolvers<void>();
      last = promise;
      try {
        await orAborted(before, signal);
        return leave;
      } catch (error) {
        // Whoever stands behind waits for those before, and no longer for this one.
        void before.then(leave);
        throw error;
      }
    },
  };
}

async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = new AbortController();
  const left = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), {
      once: true,
      signal: aborted.signal,
    });
  });
  try {
    await Promise.race([promise, left]);
  } finally {
    aborted.abort();
  }
}
