import { beforeEach, expect, it } from 'vitest';
import { createEngineLine, type EngineLine, type EnginePlace } from './engine-line.ts';

let now: number;
let line: EngineLine;
let moves: string[];
beforeEach(() => {
  now = 0;
  moves = [];
  line = createEngineLine({ parallel: null, clock: () => now });
});

const enter = (name: string, parallel: number | null = null, weights = 'w'): EnginePlace =>
  line.enter(weights, { parallel, onMove: (position) => moves.push(`${name} ${position}`) });

/** One that waited behind another: the engine answers one at a time. */
function learnOne(): void {
  const [first, second] = [enter('first'), enter('second')];
  now += 1000;
  first.leave();
  second.begin();
  second.note(1000);
  second.leave();
}

it('lets all in before anything is known, and says which may be behind', () => {
  const places = [enter('a'), enter('b'), enter('c')];
  expect(places.map(({ isReady, isBehind }) => [isReady, isBehind])).toEqual([
    [true, false],
    [true, true],
    [true, true],
  ]);
  places[0]?.begin();
  places[1]?.begin();
  expect(places[2]?.isBehind).toBe(true);
  // Two were answered at the same time: behind one, it is served.
  places[0]?.leave();
  expect(places[2]?.isBehind).toBe(false);
  expect(enter('other', null, 'other').isBehind).toBe(false);
});

it('tells once when it is behind no other any more', () => {
  const [first, second] = [enter('a'), enter('b')];
  let told = 0;
  first.whenServed(() => {
    told += 10;
  });
  expect(told).toBe(10);
  second.whenServed(() => {
    told += 1;
  });
  first.leave();
  first.leave();
  expect(told).toBe(11);
});

it('keeps those beyond what the engine answers in their order, and tells their moves', async () => {
  learnOne();
  const [a, b, c, d] = [enter('a'), enter('b'), enter('c'), enter('d')];
  expect([a, b, c, d].map(({ isReady, position }) => [isReady, position])).toEqual([
    [true, 0],
    [false, 0],
    [false, 1],
    [false, 2],
  ]);
  c.leave();
  expect(moves).toEqual(['d 1']);
  a.leave();
  await b.ready;
  expect([b.isReady, b.isBehind, d.isReady]).toEqual([true, false, false]);
  expect(moves).toEqual(['d 1', 'd 0']);
  b.leave();
  await d.ready;
});

it('takes the word of an engine that says how many it answers', () => {
  const [first, second] = [enter('a', 1), enter('b', 1)];
  expect([first.isReady, second.isReady]).toEqual([true, false]);
});

it('learns of one more where that was let in after a while', async () => {
  learnOne();
  now += 10 * 60_000;
  const [a, b, c] = [enter('a'), enter('b'), enter('c')];
  expect([b.isReady, b.isBehind, c.isReady]).toEqual([true, true, false]);
  a.begin();
  b.begin();
  c.leave();
  const d = enter('d');
  expect([d.isReady, d.isBehind]).toEqual([true, true]);
});

it('takes back what the engine has lost, and lets it in again in its order after the restart', async () => {
  const [a, b] = [enter('a', 2), enter('b', 2)];
  const c = enter('c', 2);
  const restart = Promise.withResolvers<void>();
  let restarts = 0;
  const stall = () =>
    b.stall(() => {
      restarts += 1;
      return restart.promise;
    });
  a.begin();
  expect([stall(), a.signal.aborted, b.signal.aborted]).toEqual([false, false, false]);
  a.leave();
  await c.ready;
  expect([stall(), stall(), b.signal.aborted, c.signal.aborted]).toEqual([true, false, true, true]);
  // The last of them is gone only later.
  c.returnToLine();
  const d = enter('d', 2);
  expect(restarts).toBe(0);
  b.returnToLine();
  await expect.poll(() => restarts).toBe(1);
  expect([b.isReady, c.isReady, d.isReady]).toEqual([false, false, false]);
  restart.reject(new Error('it did not work'));
  await Promise.all([b.ready, c.ready]);
  expect([b.signal.aborted, c.signal.aborted, d.isReady, d.position]).toEqual([false, false, false, 0]);
});
