// Bytes of a text file → text, without the mark that some programs put before it.

const MARKS: readonly { readonly encoding: string; readonly bytes: Buffer }[] = [
  { encoding: 'utf-8', bytes: Buffer.from([0xef, 0xbb, 0xbf]) },
  { encoding: 'utf-16le', bytes: Buffer.from([0xff, 0xfe]) },
  { encoding: 'utf-16be', bytes: Buffer.from([0xfe, 0xff]) },
];

/** UTF-8, or UTF-16 that begins with its mark, as Windows writes it. @returns null for bytes that are neither */
export function decodeText(bytes: Buffer): string | null {
  const mark = MARKS.find((known) => bytes.subarray(0, known.bytes.length).equals(known.bytes));
  try {
    return new TextDecoder(mark?.encoding ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Text without the mark of a file: it stands for the bytes, and says nothing. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
