// What /api/ps tells: the models in memory, by the name that loaded each.
import type { EngineLoadedModel } from '../../contract/engine.ts';
import { isRecord } from './wire.ts';

export type HeldModel = Omit<EngineLoadedModel, 'weights'>;

/** @param toldAt when the engine said so, by its own clock, which need not agree with ours */
export function toHeldModels(answer: Record<string, unknown>, toldAt: number | null): HeldModel[] {
  const { models } = answer;
  return Array.isArray(models) ? models.filter(isRecord).flatMap((model) => toHeldModel(model, toldAt)) : [];
}

/** Servers before v0.10 tell no window. */
function toHeldModel(model: Record<string, unknown>, toldAt: number | null): HeldModel[] {
  const { name, digest, context_length: length, expires_at: expiresAt } = model;
  if (typeof name !== 'string') return [];
  const expiresInMs =
    typeof expiresAt === 'string' && toldAt !== null ? Date.parse(expiresAt) - toldAt : Number.NaN;
  return [
    {
      model: name,
      digest: typeof digest === 'string' ? digest : null,
      window: typeof length === 'number' && length > 0 ? length : null,
      // While it answers, the time is still that of its last rest: it says nothing then.
      expiresInMs: expiresInMs > 0 ? expiresInMs : null,
    },
  ];
}

/**
 * The files that a model is loaded from, from its Modelfile: its weights first, then what is put on top of them.
 * Names that share all of these share one place in memory, whatever else their Modelfiles say.
 */
export function weightsIn(modelfile: unknown): string | null {
  if (typeof modelfile !== 'string') return null;
  const files = [...modelfile.matchAll(/^(?:FROM|ADAPTER)\s.*?\bsha256[-:]([0-9a-f]{64})\s*$/gm)];
  return files.length === 0 ? null : files.map(([, hash]) => hash).join('+');
}
