// The models on disk: `{data_dir}/models/*.gguf`. A model is called like its file, without the ending.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineModel } from '../../contract/engine.ts';
import { makePrivateFolder } from '../../kit/private-files.ts';
import { GgufError, type GgufMetadata, readGgufMetadata } from './gguf.ts';

export interface StoredModel {
  readonly path: string;
  readonly bytes: number;
  readonly metadata: GgufMetadata;
  readonly model: EngineModel;
}

export interface ModelsFolder {
  readonly path: string;
  list(): Promise<readonly StoredModel[]>;
  find(name: string): Promise<StoredModel | null>;
  /** @returns whether it was there */
  remove(name: string): Promise<boolean>;
  /** Where a model of this name lies, or will lie; the folder is made. */
  place(name: string): Promise<string>;
}

const ENDING = '.gguf';
const BYTES_PER_MB = 1_048_576;
/** Asked for when the file does not say how long a model was trained for (ORIGINAL.md §4). */
const UNKNOWN_CONTEXT_LENGTH = 2048;

/** What a model can be called: a plain file name that no file system reads as anything else. */
export function isModelName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name) && !name.includes('..');
}

export function openModelsFolder(folder: string): ModelsFolder {
  const known = new Map<string, { key: string; stored: Promise<StoredModel> }>();

  /** A file is read once, until it changes. */
  async function describe(file: string): Promise<StoredModel> {
    const path = join(folder, file);
    const { size, mtimeMs } = await stat(path);
    const key = `${size} ${mtimeMs}`;
    const cached = known.get(file);
    if (cached?.key === key) return cached.stored;
    const name = file.slice(0, -ENDING.length);
    const stored = readGgufMetadata(path).then((metadata) => ({
      path,
      bytes: size,
      metadata,
      model: {
        ...toModel(name, size, metadata),
        sizeBytes: size,
        modifiedAt: new Date(mtimeMs).toISOString(),
      },
    }));
    known.set(file, { key, stored });
    stored.catch(() => known.delete(file));
    return stored;
  }

  async function files(): Promise<string[]> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => !entry.isDirectory() && entry.name.endsWith(ENDING))
      .map((entry) => entry.name)
      .filter((file) => isModelName(file.slice(0, -ENDING.length)))
      .toSorted();
  }

  async function fileOf(name: string): Promise<string | null> {
    const wanted = `${comparable(name)}${ENDING}`;
    return (await files()).find((file) => file.toLowerCase() === wanted) ?? null;
  }

  return {
    path: folder,
    async list() {
      const described = await Promise.allSettled((await files()).map(describe));
      // What is no model, or a damaged one, is left out.
      return described.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    },
    async find(name) {
      const file = await fileOf(name);
      if (file === null) return null;
      return describe(file).catch((error: unknown) => {
        if (error instanceof GgufError || isMissing(error)) return null;
        throw error;
      });
    },
    async remove(name) {
      const file = await fileOf(name);
      if (file === null) return false;
      await rm(join(folder, file), { force: true });
      known.delete(file);
      return true;
    },
    async place(name) {
      makePrivateFolder(folder);
      return join(folder, `${name}${ENDING}`);
    },
  };
}

/** Letter case does not count, and `:latest` says nothing. */
function comparable(name: string): string {
  return name.toLowerCase().replace(/:latest$/, '');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** `general.file_type` (llama.cpp's llama_ftype) → the name that people know. */
const QUANTIZATIONS: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  32: 'BF16',
};

function toModel(name: string, bytes: number, metadata: GgufMetadata): EngineModel {
  const architecture = String(metadata['general.architecture'] ?? 'unknown');
  const length = metadata[`${architecture}.context_length`];
  const trainedLength = typeof length === 'number' && length >= 1 ? length : null;
  return {
    name,
    size_mb: Math.round((bytes / BYTES_PER_MB) * 10) / 10,
    format: 'gguf',
    family: architecture,
    parameter_size: String(metadata['general.size_label'] ?? 'unknown'),
    quantization_level: QUANTIZATIONS[Number(metadata['general.file_type'])] ?? 'unknown',
    capabilities: capabilitiesOf(architecture, metadata),
    context_length: trainedLength ?? UNKNOWN_CONTEXT_LENGTH,
    trainedLength,
    wishedWindow: null,
    digest: null,
    weights: name,
    parallel: 1,
  };
}

/** Only what this engine can do with the model: images it cannot, and of calls it knows one way to write them. */
function capabilitiesOf(architecture: string, metadata: GgufMetadata): string[] {
  if (`${architecture}.pooling_type` in metadata) return ['embedding'];
  const template = String(metadata['tokenizer.chat_template'] ?? '');
  const callsTools = /\btools\b/.test(template) && template.includes('<tool_call>');
  const thinks = /enable_thinking|<think>/.test(template);
  return ['completion', ...(callsTools ? ['tools'] : []), ...(thinks ? ['thinking'] : [])];
}
