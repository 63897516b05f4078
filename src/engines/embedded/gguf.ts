// The header of a GGUF file: what a model is, without loading it.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
import { type FileHandle, open } from 'node:fs/promises';

/** Values by key. Arrays are skipped: the vocabulary is most of the header, and nothing here needs it. */
export type GgufMetadata = Readonly<Record<string, string | number | boolean>>;

/** Not a GGUF file, or a damaged one. */
export class GgufError extends Error {
  override readonly name = 'GgufError';
}

const FIRST_READ = 1024 * 1024;
/** A header longer than this is none. */
const MAX_HEADER = 256 * 1024 * 1024;

/** @throws GgufError, or what opening the file throws */
export async function readGgufMetadata(path: string): Promise<GgufMetadata> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    for (let length = FIRST_READ; ; length *= 4) {
      const bytes = await readStart(file, Math.min(length, size));
      try {
        return parse(new Cursor(bytes));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        if (bytes.length >= size || length >= MAX_HEADER) throw new GgufError('The file is cut short.');
      }
    }
  } finally {
    await file.close();
  }
}

async function readStart(file: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, 0);
  return buffer.subarray(0, bytesRead);
}

/** @throws RangeError where the bytes end too early */
function parse(cursor: Cursor): GgufMetadata {
  if (cursor.text(4) !== 'GGUF') throw new GgufError('The file is not a GGUF model.');
  const version = cursor.u32();
  if (version < 2 || version > 3) throw new GgufError(`GGUF version ${version} is not known.`);
  cursor.u64();
  const count = cursor.u64();
  const metadata: Record<string, string | number | boolean> = {};
  for (let index = 0; index < count; index += 1) {
    const key = cursor.string();
    const value = cursor.value(cursor.u32());
    if (value !== null) metadata[key] = value;
  }
  return metadata;
}

const STRING = 8;
const ARRAY = 9;
/** Bytes of each fixed-size type, by its number. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/** Reads forward; running over the end throws a RangeError. */
class Cursor {
  private offset = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.skip(4));
  }

  u64(): number {
    return Number(this.bytes.readBigUInt64LE(this.skip(8)));
  }

  text(length: number): string {
    const start = this.skip(length);
    return this.bytes.toString('utf8', start, this.offset);
  }

  string(): string {
    return this.text(this.u64());
  }

  /** @returns null for an array */
  value(type: number): string | number | boolean | null {
    if (type === STRING) return this.string();
    if (type === ARRAY) return this.skipArray();
    const size = SIZES[type];
    if (size === undefined) throw new GgufError(`GGUF value type ${type} is not known.`);
    return this.scalar(type, this.skip(size));
  }

  private scalar(type: number, at: number): number | boolean {
    const { bytes } = this;
    switch (type) {
      case 0:
        return bytes.readUInt8(at);
      case 1:
        return bytes.readInt8(at);
      case 2:
        return bytes.readUInt16LE(at);
      case 3:
        return bytes.readInt16LE(at);
      case 4:
        return bytes.readUInt32LE(at);
      case 5:
        return bytes.readInt32LE(at);
      case 6:
        return bytes.readFloatLE(at);
      case 7:
        return bytes.readUInt8(at) !== 0;
      case 10:
        return Number(bytes.readBigUInt64LE(at));
      case 11:
        return Number(bytes.readBigInt64LE(at));
      default:
        return bytes.readDoubleLE(at);
    }
  }

  private skipArray(): null {
    const type = this.u32();
    const count = this.u64();
    const size = SIZES[type];
    if (size !== undefined && size > 0) this.skip(size * count);
    else for (let index = 0; index < count; index += 1) this.value(type);
    return null;
  }

  /** @returns where it stood */
  private skip(length: number): number {
    const start = this.offset;
    if (!(length >= 0) || start + length > this.bytes.length) throw new RangeError('The bytes end here.');
    this.offset += length;
    return start;
  }
}
