// Asks the engine, while it answers, which model the name stands for.

import type { StoredSession } from '../../store/sessions.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { identifyModel } from '../prompt/identify-model.ts';
import type { StepDeps } from './step-deps.ts';
import type { TurnProgress } from './turn-progress.ts';

/** Called once the engine was asked what it holds. Never throws: what it cannot say is told another time. */
export async function noteModel(
  { engine }: Pick<StepDeps, 'engine'>,
  session: StoredSession,
  progress: TurnProgress,
): Promise<void> {
  const model = await engine.recallModel(session.model).catch(() => null);
  const { plan, mark } = progress;
  if (model === null || plan === null || model.digest === progress.model?.digest) return;
  progress.model = model;
  const loaded = { weights: weightsOf(model, session.model), digest: model.digest };
  if (mark !== null) progress.mark = { ...mark, ...loaded };
  const identity = identifyModel(session, model);
  progress.plan = {
    ...plan,
    mark: { ...plan.mark, ...loaded },
    receipt: {
      ...plan.receipt,
      ...identity,
      // It was another model that had read what was said before.
      ...(identity.model_changed && { prefix_reused: 0, cache_break: 'model' as const }),
    },
  };
}
