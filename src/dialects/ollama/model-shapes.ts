// The models of an engine that is no Ollama, in Ollama's shapes: every key is there, since typed clients fail without.
import type { EngineLoadedModel, EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { digestOf } from '../../kit/digest.ts';
import type { DialectDeps } from '../dialect.ts';

/** Clients compare it with the first version that had what they use. */
export const VERSION_OF_OTHERS = '0.30.0';

const BYTES_PER_MB = 1_048_576;
const NEVER = '2318-01-01T00:00:00Z';
const NOT_KNOWN = '1970-01-01T00:00:00Z';

export async function tagsBody({ engine }: DialectDeps): Promise<object> {
  return { models: (await engine.listModels()).map(toTag) };
}

export async function loadedBody({ engine }: DialectDeps): Promise<object> {
  const loaded = await engine.listLoaded();
  const models = await Promise.all(
    loaded.map(async (held) => toHeld(held, await engine.recallModel(held.model).catch(() => null))),
  );
  return { models };
}

/** @throws MochiError model_not_found */
export async function showBody({ engine }: DialectDeps, name: string): Promise<object> {
  const model = await engine.findModel(name);
  if (model === null) {
    throw new MochiError('model_not_found', `Model ${name} is not installed.`, { model: name });
  }
  const { family, context_length, capabilities } = model;
  return {
    license: '',
    modelfile: `# Modelfile of ${model.name}\nFROM ${model.name}\n`,
    parameters: '',
    template: '{{ .Prompt }}',
    details: detailsOf(model),
    model_info: {
      'general.architecture': family,
      'general.basename': model.name,
      [`${family}.context_length`]: context_length,
    },
    tensors: [],
    capabilities,
    modified_at: model.modifiedAt ?? NOT_KNOWN,
  };
}

function toTag(model: EngineModel): object {
  const { name, capabilities, context_length } = model;
  return {
    name,
    model: name,
    modified_at: model.modifiedAt ?? NOT_KNOWN,
    size: sizeOf(model),
    digest: digestOfModel(model),
    details: { ...detailsOf(model), context_length },
    capabilities,
  };
}

function toHeld({ model: name, window, expiresInMs }: EngineLoadedModel, model: EngineModel | null): object {
  const size = model === null ? 0 : sizeOf(model);
  return {
    name,
    model: name,
    size,
    digest: model === null ? '' : digestOfModel(model),
    details: model === null ? {} : detailsOf(model),
    expires_at: expiresInMs === null ? NEVER : new Date(Date.now() + expiresInMs).toISOString(),
    size_vram: 0,
    context_length: window ?? 0,
  };
}

function detailsOf({ format, family, parameter_size, quantization_level }: EngineModel): object {
  return { parent_model: '', format, family, families: [family], parameter_size, quantization_level };
}

function sizeOf({ sizeBytes, size_mb }: EngineModel): number {
  return sizeBytes ?? Math.round(size_mb * BYTES_PER_MB);
}

/** An engine that has none: the same file, the same digest. */
function digestOfModel({ digest, name, sizeBytes = 0, modifiedAt = '' }: EngineModel): string {
  return digest ?? digestOf({ name, sizeBytes, modifiedAt });
}
