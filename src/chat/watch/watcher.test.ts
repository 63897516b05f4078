import { expect, it } from 'vitest';
import { type Watched, Watcher } from './watcher.ts';

it('tells whoever waits what went wrong, and ends nothing else', async () => {
  let lastEventId = 0;
  const left: unknown[] = [];
  const watched: Watched = {
    isFinished: false,
    get lastEventId() {
      return lastEventId;
    },
    farewell: [],
    read() {
      throw new Error('cannot be read');
    },
    enter: () => undefined,
    leave: (watcher) => void left.push(watcher),
  };
  const watcher = new Watcher(watched, { after: 0, end: 10, signal: new AbortController().signal });
  const next = watcher.next();
  lastEventId = 1;
  watcher.wake();
  await expect(next).rejects.toThrow('cannot be read');
  expect(left).toEqual([watcher]);
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
});
