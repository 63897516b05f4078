// Asks the engine which models it holds, and with which windows. Nobody waits for the answer.
import type { TurnDeps } from './turn-deps.ts';

/** What cannot be learned now is learned another time: every plan works without. */
export function learnWindows({ engine, modelWindows }: Pick<TurnDeps, 'engine' | 'modelWindows'>): void {
  engine.listLoaded().then(
    (models) => modelWindows.learn(models),
    () => undefined,
  );
}
