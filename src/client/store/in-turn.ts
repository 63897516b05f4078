/** @returns runs what it is given one after the other, in that order; what fails keeps nothing else from running */
export function inTurn(): <T>(run: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (run) => {
    const running = before.then(run);
    before = running.catch(() => undefined);
    return running;
  };
}
