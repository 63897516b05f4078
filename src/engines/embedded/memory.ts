// Whether a window fits into memory, before native code finds out the hard way.
import process from 'node:process';
import { MochiError } from '../../contract/errors.ts';
import type { GgufMetadata } from './gguf.ts';
import type { StoredModel } from './models-folder.ts';

/** Keys and values are kept as 16-bit floats. */
const BYTES_PER_VALUE = 2;
/** What is left to everybody else. */
const SPARE_BYTES = 256 * 1024 * 1024;

/** What a model takes that is not there yet, and what must stay free besides. Bytes. */
export function memoryFor({
  bytes,
  cacheBytes: cache,
}: {
  readonly bytes: number;
  readonly cacheBytes: number;
}): number {
  return bytes + cache + SPARE_BYTES;
}

/**
 * @param held bytes that the engine has taken already and will give back
 * @throws MochiError insufficient_memory
 */
export function checkMemory({ model, bytes, metadata }: StoredModel, window: number, held: number): void {
  const needed = bytes + cacheBytes(metadata, window);
  const free = process.availableMemory() + held;
  if (needed + SPARE_BYTES <= free) return;
  throw new MochiError(
    'insufficient_memory',
    `A window of ${window} tokens of ${model.name} needs about ${toMb(needed)} MB of memory, and ${toMb(free)} MB are free. Choose a smaller window (options.num_ctx) or a smaller model.`,
    { window, needed_mb: toMb(needed), free_mb: toMb(free) },
  );
}

/** Bytes that keys and values of a window take; 0 where the file does not say enough. */
export function cacheBytes(metadata: GgufMetadata, window: number): number {
  const architecture = String(metadata['general.architecture']);
  const number = (name: string) => {
    const value = metadata[`${architecture}.${name}`];
    return typeof value === 'number' ? value : null;
  };
  const layers = number('block_count') ?? 0;
  const heads = number('attention.head_count') ?? 1;
  const keyLength = number('attention.key_length') ?? (number('embedding_length') ?? 0) / heads;
  const valueLength = number('attention.value_length') ?? keyLength;
  const sharedHeads = number('attention.head_count_kv') ?? heads;
  return window * layers * sharedHeads * (keyLength + valueLength) * BYTES_PER_VALUE;
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
