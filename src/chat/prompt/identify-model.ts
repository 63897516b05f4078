// Which model a receipt names, and whether its name stood for another one at the turn before.
import type { ContextReceipt } from '../../contract/context-window.ts';
import type { EngineModel } from '../../contract/engine.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { digestChange } from './compare-prompts.ts';

/** @param session as it was when the turn began: a change is told in the whole turn, and in no later one */
export function identifyModel(
  { model: name, promptMark: before }: StoredSession,
  model: EngineModel | null,
): Pick<ContextReceipt, 'model' | 'model_changed'> {
  const digest = model?.digest ?? null;
  const change = before === null ? null : digestChange(before, { model: name, digest });
  return { model: { name, digest }, ...(change !== null && { model_changed: change }) };
}
