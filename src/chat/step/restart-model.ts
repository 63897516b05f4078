// Brings back an engine that has lost its requests: the model is unloaded, and the next request loads it.
import { setTimeout as delay } from 'node:timers/promises';
import type { StepDeps } from './step-deps.ts';

/** It is gone within milliseconds, unless another program is answered by it. */
const LOOKS = 20;
const LOOK_EVERY_MS = 100;

/** @throws MochiError when the engine cannot be asked */
export async function restartModel(
  { engine, modelWindows, log }: Pick<StepDeps, 'engine' | 'modelWindows' | 'log'>,
  model: string,
  weights: string,
): Promise<void> {
  log.warn({ model }, 'the engine holds the model and answers nothing: it is made to load it anew');
  await engine.unloadModel?.(model);
  modelWindows.noteUnloaded(weights);
  // A request that came before it is gone would be lost as well.
  for (let look = 0; look < LOOKS; look += 1) {
    const held = await engine.listLoaded();
    if (!held.some((loaded) => loaded.weights === weights)) return;
    await delay(LOOK_EVERY_MS);
  }
}
