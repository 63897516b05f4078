// Asks the engine which models it holds, and with which windows.
import type { TurnDeps } from '../turn-deps.ts';

/**
 * What cannot be learned now is learned another time: every plan works without. Never throws.
 * @param answering weights that answer at this moment
 */
export function learnWindows(
  { engine, modelWindows }: Pick<TurnDeps, 'engine' | 'modelWindows'>,
  answering?: string,
): Promise<void> {
  return engine.listLoaded().then(
    (models) => modelWindows.learn(models, answering),
    () => undefined,
  );
}
