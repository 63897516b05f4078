// Some lines of a file of any size, read piece by piece.
import type { FileHandle } from 'node:fs/promises';
import { cutText } from '../../../kit/whole-characters.ts';
import { BuiltinFault } from '../builtin-tool.ts';

export interface WantedLines {
  /** From 1. */
  readonly first: number;
  readonly most: number;
  /** Characters of all of them. */
  readonly maxLength: number;
  readonly signal: AbortSignal;
}

const PIECE_BYTES = 64 * 1024;

/** With a note where it is not the whole rest. @throws BuiltinFault when it is no text */
export async function readLines(file: FileHandle, wanted: WantedLines): Promise<string> {
  const { first, most, maxLength, signal } = wanted;
  /** Of the line that is being read. */
  let line = 1;
  let kept = '';
  const isDone = () => line >= first + most || kept.length > maxLength;
  for await (const text of decode(file)) {
    signal.throwIfAborted();
    let at = 0;
    while (at < text.length && !isDone()) {
      const end = text.indexOf('\n', at);
      const next = end < 0 ? text.length : end + 1;
      if (line >= first) kept += text.slice(at, Math.min(next, at + maxLength + 1));
      if (end >= 0) line += 1;
      at = next;
    }
    // What is left of the piece: there is more.
    if (isDone() && (at < text.length || kept.length > maxLength)) return piece(kept, wanted);
  }
  if (kept === '' && first > 1) throw new BuiltinFault(`It has ${line} lines; there is none at ${first}.`);
  return kept.length > maxLength ? piece(kept, wanted) : kept;
}

/** Ends with a whole line, where one fits. */
function piece(kept: string, { first, maxLength }: WantedLines): string {
  if (kept.length <= maxLength) return noted(kept, first + linesIn(kept));
  const end = kept.lastIndexOf('\n', maxLength - 1) + 1;
  if (end > 0) return noted(kept.slice(0, end), first + linesIn(kept.slice(0, end)));
  const note = `\n[line ${first} is longer than this; its rest cannot be shown. Read on with offset ${first + 1}]`;
  return cutText(kept, maxLength) + note;
}

function noted(text: string, next: number): string {
  return `${text}${text.endsWith('\n') ? '' : '\n'}[there is more: read on with offset ${next}]`;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

/** UTF-8, or UTF-16 that begins with its mark. */
async function* decode(file: FileHandle): AsyncGenerator<string, void> {
  let decoder: InstanceType<typeof TextDecoder> | null = null;
  const buffer = Buffer.alloc(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, null);
    const bytes = buffer.subarray(0, bytesRead);
    decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: bytesRead > 0 });
    } catch {
      throw new BuiltinFault('It is no text file.');
    }
    if (text.includes('\0')) throw new BuiltinFault('It is no text file.');
    if (text !== '') yield text;
    if (bytesRead === 0) return;
  }
}

function encodingOf(bytes: Buffer): string {
  const [one, two] = bytes;
  if (one === 0xff && two === 0xfe) return 'utf-16le';
  return one === 0xfe && two === 0xff ? 'utf-16be' : 'utf-8';
}
