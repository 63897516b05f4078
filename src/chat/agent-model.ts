// With which model an agent works.
import type { ValidAgent } from '../agents/agent.ts';
import type { Engine } from '../contract/engine.ts';

export interface ChosenModel {
  readonly model: string;
  /** Why it is not the one that the agent wants; null: it is, or it wants none. */
  readonly warning: string | null;
}

/**
 * The one that its SKILL.md names, where that is installed and can chat.
 * @param fallback asked for only where it is needed @throws what `fallback` throws
 */
export async function chooseAgentModel(
  engine: Engine,
  { name, skill }: ValidAgent,
  fallback: () => Promise<string>,
): Promise<ChosenModel> {
  const wanted = skill.model;
  if (wanted === null) return { model: await fallback(), warning: null };
  const found = await engine.findModel(wanted).catch(() => undefined);
  if (found?.capabilities.includes('completion')) return { model: found.name, warning: null };
  const model = await fallback();
  const why =
    found === undefined ? 'could not be asked for' : found === null ? 'is not installed' : 'cannot chat';
  return {
    model,
    warning: `The agent ${name} wants the model ${wanted}, which ${why}: it works with ${model}.`,
  };
}
