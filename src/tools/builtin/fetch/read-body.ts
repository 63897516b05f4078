// The body of an answer as text, as far as it may be read.
import type { Response } from 'undici';

const MAX_BYTES = 2 * 1024 * 1024;
/** Where a page says in which letters it is written. */
const HEAD_BYTES = 1024;

const TEXT_TYPES =
  /^(text\/.+|application\/(json|xml|javascript|ecmascript|x-javascript|yaml|x-yaml|toml|sql|x-ndjson|.+\+(json|xml|yaml)))$/;

/** @returns null for what is no text; text where nothing is said */
export function textKindOf(contentType: string): 'html' | 'text' | null {
  const [type = ''] = contentType.toLowerCase().split(';');
  const name = type.trim();
  if (name === 'text/html' || name === 'application/xhtml+xml') return 'html';
  return name === '' || TEXT_TYPES.test(name) ? 'text' : null;
}

/** @throws what the connection throws */
export async function readBody(
  { body }: Response,
  contentType: string,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let isWhole = true;
  // Leaving the loop ends the connection.
  for await (const piece of body ?? []) {
    const bytes = piece as Uint8Array;
    pieces.push(bytes.subarray(0, MAX_BYTES - length));
    length += bytes.length;
    isWhole = length <= MAX_BYTES;
    if (!isWhole) break;
  }
  const bytes = Buffer.concat(pieces);
  return { text: decoderOf(contentType, bytes).decode(bytes), isWhole };
}

/** Never throws: what cannot be read in those letters has replacement characters. */
function decoderOf(contentType: string, bytes: Buffer): InstanceType<typeof TextDecoder> {
  const told = /charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType)?.[1];
  const meant = /<meta[^>]+charset\s*=\s*["']?([^\s"';/>]+)/i.exec(
    bytes.toString('latin1', 0, HEAD_BYTES),
  )?.[1];
  try {
    return new TextDecoder(told ?? meant ?? 'utf-8');
  } catch {
    return new TextDecoder();
  }
}
