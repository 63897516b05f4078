// The spec of the runtimes on the Node of the tests; `npm run test:runtimes` has the others.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSpec } from './spec.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

it('does what it must on this Node', async () => {
  expect(await runSpec(world)).toHaveLength(5);
});
