// The installed models: their description here, their shapes in /api/tags and /api/show.
import { createHash } from 'node:crypto';
import { displayName, modelKey } from './model-name.ts';

/** An installed model. Everything but the name has a default. */
export type FakeModel = {
  readonly name: string;
  /** Default: completion. */
  readonly capabilities?: readonly string[];
  /** False: a server older than v0.6.4, that tells no capabilities (they still decide what it refuses). */
  readonly showsCapabilities?: boolean;
  /** The architecture, also the prefix of the keys in `model_info`. Default: llama. */
  readonly family?: string;
  /** The trained length; null: the key is missing in `model_info`. Default: 4096. */
  readonly contextLength?: number | null;
  readonly embeddingLength?: number;
  readonly parameterSize?: string;
  readonly quantization?: string;
  readonly size?: number;
  /** Default: a hash of the name. Change it to re-tag a model. */
  readonly digest?: string;
  /** The file of its weights, which names may share. Default: a hash of the digest, so that a copy shares them. */
  readonly weights?: string;
  /** `SYSTEM` of the Modelfile. */
  readonly system?: string;
  /** `PARAMETER num_ctx` of the Modelfile. */
  readonly numCtx?: number;
  readonly modifiedAt?: string;
  /** A Jinja template that refuses a late system message, an orphaned tool result and a history without user. */
  readonly strictTemplate?: boolean;
};

export const defaultModels: readonly FakeModel[] = [
  { name: 'llama3.2:latest', capabilities: ['completion', 'tools'], contextLength: 131_072 },
  {
    name: 'qwen3:14b',
    capabilities: ['completion', 'tools', 'thinking'],
    family: 'qwen3',
    contextLength: 40_960,
    embeddingLength: 5120,
    parameterSize: '14.8B',
    size: 9_276_198_565,
  },
  { name: 'tiny:latest', parameterSize: '15M', embeddingLength: 288, size: 19_077_344 },
  { name: 'llava:7b', capabilities: ['completion', 'vision'], parameterSize: '7B', size: 4_733_363_377 },
  {
    name: 'nomic-embed-text:latest',
    capabilities: ['embedding'],
    family: 'nomic-bert',
    contextLength: 2048,
    embeddingLength: 768,
    parameterSize: '137M',
    quantization: 'F16',
    size: 274_302_450,
  },
  { name: 'old:latest', showsCapabilities: false },
  { name: 'hf.co/org/repo:Q4_K_M', capabilities: ['completion', 'tools'], contextLength: 32_768 },
];

export function findModel(models: readonly FakeModel[], name: string): FakeModel | undefined {
  return models.find((model) => modelKey(model.name) === modelKey(name));
}

export function hasCapability(model: FakeModel, capability: string): boolean {
  return (model.capabilities ?? ['completion']).includes(capability);
}

/** The trained length where `model_info` tells none: Ollama knows it even then. */
export function trainedLength(model: FakeModel): number {
  return model.contextLength ?? 4096;
}

function digestOf(model: FakeModel): string {
  return model.digest ?? createHash('sha256').update(modelKey(model.name)).digest('hex');
}

/** What the scheduler knows a model by: its path in the blobs. */
export function weightsOf(model: FakeModel): string {
  return createHash('sha256')
    .update(`weights ${model.weights ?? digestOf(model)}`)
    .digest('hex');
}

export function detailsOf(model: FakeModel): Record<string, unknown> {
  const family = model.family ?? 'llama';
  return {
    parent_model: '',
    format: 'gguf',
    family,
    families: [family],
    parameter_size: model.parameterSize ?? '3.2B',
    quantization_level: model.quantization ?? 'Q4_K_M',
  };
}

/** What /api/tags and /api/ps have in common. */
export function listEntry(model: FakeModel): Record<string, unknown> {
  const name = displayName(model.name);
  return {
    name,
    model: name,
    size: model.size ?? 2_019_393_189,
    digest: digestOf(model),
    details: detailsOf(model),
  };
}
