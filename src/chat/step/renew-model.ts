// Looks a model up anew after a refusal: its name may stand for another model by now.
import { type EngineModel, mayDo } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { TurnRequest } from '../turn-request.ts';

/** @returns what the name stands for now; null where that is as it was, or cannot be asked */
export async function renewModel(
  { engine }: Pick<TurnDeps, 'engine'>,
  name: string,
  known: EngineModel | null,
): Promise<EngineModel | null> {
  const model = await engine.findModel(name).catch(() => null);
  return model === null || model.digest === null || model.digest === known?.digest ? null : model;
}

/** Tools of the session are left out where a model can call none; a client that brings some counts on them. */
export function requireTools(request: TurnRequest, model: EngineModel | null, name: string): void {
  if (request.clientTools.length === 0 || mayDo(model, 'tools')) return;
  throw new MochiError(
    'tools_not_supported',
    `The model ${name} cannot call tools. Choose one that can, or send no tools.`,
    { model: name },
  );
}

/** @throws MochiError images_not_supported */
export function requireVision(request: TurnRequest, model: EngineModel | null, name: string): void {
  if (request.images.length === 0 || mayDo(model, 'vision')) return;
  throw new MochiError(
    'images_not_supported',
    `The model ${name} does not accept images. Choose one with vision, or send text only.`,
    { model: name },
  );
}
