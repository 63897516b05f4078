// A line of those who wait for something that is scarce; who can be served is served, the first to come first.

export interface Places<Wish, Given> {
  /** @param waitMs null: as long as it takes. @returns null: none came in time. @throws the signal's reason, what `take` throws */
  wait(wish: Wish, signal: AbortSignal, waitMs: number | null): Promise<Given | null>;
  /** Something has become free. */
  serve(): void;
}

interface Waiting<Wish, Given> {
  readonly wish: Wish;
  readonly settle: (given: Given | null) => void;
  readonly fail: (error: unknown) => void;
}

/** @param take null: nothing is free for this wish now. What it throws, only who wished it hears */
export function createPlaces<Wish, Given>(take: (wish: Wish) => Given | null): Places<Wish, Given> {
  let line: Waiting<Wish, Given>[] = [];

  function serve(): void {
    for (const waiting of line) {
      try {
        const given = take(waiting.wish);
        if (given === null) continue;
        waiting.settle(given);
      } catch (error) {
        waiting.fail(error);
      }
      line = line.filter((other) => other !== waiting);
    }
  }

  return {
    serve,
    async wait(wish, signal, waitMs) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Given | null>();
      const waiting = { wish, settle: resolve, fail: reject };
      const leave = () => {
        line = line.filter((other) => other !== waiting);
        resolve(null);
      };
      const timer = waitMs === null ? undefined : setTimeout(leave, waitMs);
      signal.addEventListener('abort', leave, { once: true });
      line.push(waiting);
      serve();
      const given = await promise.finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
      });
      if (given === null) signal.throwIfAborted();
      return given;
    },
  };
}
