// Tasks that run side by side, so many at once, and are looked at in their order.

/**
 * @param tasks started in order; the next as soon as one has ended
 * @returns what was started, growing: when a task and all before it have ended, the next is there, unless the signal
 * was aborted or one has failed. A task that fails is met where it is looked at.
 */
export function startSideBySide<T>(
  tasks: readonly (() => Promise<T>)[],
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
): readonly Promise<T>[] {
  const started: Promise<T>[] = [];
  let hasFailed = false;
  const startNext = () => {
    const task = tasks[started.length];
    if (task === undefined || signal.aborted || hasFailed) return;
    const running = task();
    running.then(startNext, () => {
      hasFailed = true;
    });
    started.push(running);
  };
  while (started.length < Math.min(atOnce, tasks.length) && !signal.aborted) startNext();
  return started;
}
