// OLLAMA_NUM_PARALLEL: requests beyond it wait without a byte, until one ends or its client goes away.

/** The slots of one runner. */
export type Slots = {
  /** Resolves with what frees the slot again; rejects when the client goes away before. */
  enter(signal: AbortSignal): Promise<() => void>;
};

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  }

  async function enter(signal: AbortSignal): Promise<() => void> {
    if (free > 0) {
      free -= 1;
      return leave;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = () => {
      waiting.splice(waiting.indexOf(resolve), 1);
      reject(signal.reason);
    };
    waiting.push(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', giveUp));
    return leave;
  }

  return { enter };
}
