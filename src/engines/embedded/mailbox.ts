// A queue between what comes by itself and one reader who waits for it.

export interface Mailbox<T> {
  put(item: T): void;
  /**
   * Everything that has come, at least one item. Once the signal is aborted nothing is given out any more.
   * @throws the signal's reason
   */
  take(signal: AbortSignal): Promise<readonly T[]>;
}

export function createMailbox<T>(): Mailbox<T> {
  let items: T[] = [];
  let wake: () => void = () => undefined;
  return {
    put(item) {
      items.push(item);
      wake();
    },
    async take(signal) {
      signal.throwIfAborted();
      if (items.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        signal.addEventListener('abort', wake, { once: true });
        await promise;
        signal.removeEventListener('abort', wake);
        signal.throwIfAborted();
      }
      const taken = items;
      items = [];
      return taken;
    },
  };
}
