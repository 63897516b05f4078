// What is installed, in a sentence: the second half of errors about a model that is not.
import type { EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { cutText } from '../kit/whole-characters.ts';

/** More would be no help, and no sentence. */
const SHOWN = 10;

/** Never throws: an engine that cannot tell now tells nothing. */
export async function inventoryOf(list: () => Promise<readonly EngineModel[]>): Promise<string> {
  const models = await list().catch(() => null);
  if (models === null) return 'GET /api/v1/models lists those that are.';
  if (models.length === 0) return 'No model is installed yet: POST /api/v1/models/pull fetches one.';
  const names = models.slice(0, SHOWN).map(({ name }) => name);
  const more = models.length > SHOWN ? ` and ${models.length - SHOWN} more` : '';
  return `Installed: ${names.join(', ')}${more}.`;
}

export function missingModel(name: string, inventory: string): MochiError {
  const model = cutText(name, 200);
  return new MochiError('model_not_found', `Model ${model} is not installed. ${inventory}`, { model });
}
