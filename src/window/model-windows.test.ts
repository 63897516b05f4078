import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createModelWindows } from './model-windows.ts';

describe('createModelWindows', () => {
  it('knows nothing of a model that was not used', () => {
    expect(createModelWindows().current('llama3.2:latest')).toBeNull();
  });

  it('holds the highest step of each model apart', () => {
    const step = fc.record({ model: fc.constantFrom('a:latest', 'b:latest'), window: fc.nat() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const windows = createModelWindows();
        for (const { model, window } of steps) windows.raise(model, window);
        for (const name of ['a:latest', 'b:latest']) {
          const own = steps.filter(({ model, window }) => model === name && window > 0);
          const highest = own.length === 0 ? null : Math.max(...own.map(({ window }) => window));
          expect(windows.current(name)).toBe(highest);
        }
      }),
    );
  });
});
