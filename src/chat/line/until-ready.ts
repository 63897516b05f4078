// The wait in a line, which ends at once when there is nothing to wait for any more.

/** @throws the reason of the abort */
export async function untilReady(ready: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([ready, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
