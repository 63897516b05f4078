// Tasks that run side by side, so many at once, and are looked at in their order.

/**
 * @param tasks started in order; the next as soon as one has ended
 * @returns what was started, growing: when a task and all before it have ended, the next is there, unless the signal
 * was aborted. A task that fails is met where it is looked at.
 */
export function startSideBySide<T>(
  tasks: readonly (() => Promise<T>)[],
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
): readonly Promise<T>[] {
  const started: Promise<T>[] = [];
  const startNext = () => {
    const task = tasks[started.length];
    if (task === undefined || signal.aborted) return;
    const running = task().finally(startNext);
    running.catch(() => undefined);
    started.push(running);
  };
  while (started.length < Math.min(atOnce, tasks.length) && !signal.aborted) startNext();
  return started;
}
