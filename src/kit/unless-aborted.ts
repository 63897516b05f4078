// Waiting that ends with a signal, also for what knows of none or heeds it late.

/** What is asked goes on; nobody waits for it. @throws the signal's reason at once when it is aborted */
export function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  void asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  if (signal.aborted) abort();
  return promise;
}
