// A GGUF file of nothing but a header: enough for everything that does not run the model.
import { writeFile } from 'node:fs/promises';

export type GgufValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** `[role]text[end]`. */
const PLAIN_TEMPLATE =
  '{% for message in messages %}[{{ message.role }}]{{ message.content }}[end]{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}';

export const SMALL_MODEL: GgufValues = {
  'general.architecture': 'llama',
  'general.size_label': '1M',
  'general.file_type': 15,
  'llama.context_length': 8192,
  'llama.block_count': 2,
  'llama.embedding_length': 64,
  'llama.attention.head_count': 4,
  'llama.attention.head_count_kv': 2,
  'tokenizer.ggml.tokens': ['a', 'b', 'c'],
  'tokenizer.chat_template': PLAIN_TEMPLATE,
};

export async function writeGguf(path: string, values: GgufValues = SMALL_MODEL): Promise<void> {
  await writeFile(path, ggufBytes(values));
}

/** Version 3, little-endian, no tensors. */
export function ggufBytes(values: GgufValues): Buffer {
  const entries = Object.entries(values);
  const head = Buffer.alloc(24);
  head.write('GGUF', 0);
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(0n, 8);
  head.writeBigUInt64LE(BigInt(entries.length), 16);
  return Buffer.concat([head, ...entries.flatMap(([key, value]) => [text(key), typed(value)])]);
}

function typed(value: GgufValues[string]): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(8), text(value)]);
  if (typeof value === 'boolean') return Buffer.concat([u32(7), Buffer.from([value ? 1 : 0])]);
  if (typeof value === 'number') return Buffer.concat([u32(4), u32(value)]);
  return Buffer.concat([u32(9), u32(8), u64(value.length), ...value.map(text)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
