import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startSideBySide } from './side-by-side.ts';

it('starts no more once one has failed', async () => {
  const begun: number[] = [];
  const tasks = [0, 1, 2, 3].map((number) => async () => {
    begun.push(number);
    await setTimeout(1);
    if (number === 0) throw new Error('disk full');
    return number;
  });
  const started = startSideBySide(tasks, { atOnce: 1, signal: new AbortController().signal });
  await expect(started[0]).rejects.toThrow('disk full');
  await setTimeout(20);
  expect(begun).toEqual([0]);
});

it('starts the next as one ends, in order', async () => {
  const begun: number[] = [];
  const tasks = [0, 1, 2].map((number) => async () => {
    begun.push(number);
    return number;
  });
  const started = startSideBySide(tasks, { atOnce: 2, signal: new AbortController().signal });
  for (const index of tasks.keys()) expect(await started[index]).toBe(index);
  expect(begun).toEqual([0, 1, 2]);
});
