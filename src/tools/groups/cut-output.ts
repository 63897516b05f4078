// Results that are too large keep their beginning and their end.

/** Of what may stay; the rest is for the end. */
const HEAD_SHARE = 0.7;

/** @returns the text in about so many bytes of UTF-8, and a line about what was left out */
export function cutOutput(
  text: string,
  maxBytes: number,
): { readonly text: string; readonly truncated: boolean } {
  // A character is at most three bytes a unit: short texts need no counting.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return { text, truncated: false };
  const bytes = Buffer.from(text);
  const head = startOfCharacter(bytes, Math.floor(maxBytes * HEAD_SHARE));
  const tail = startOfCharacter(bytes, bytes.length - (maxBytes - head));
  const line = `\n[… ${tail - head} bytes were left out …]\n`;
  return { text: bytes.toString('utf8', 0, head) + line + bytes.toString('utf8', tail), truncated: true };
}

function startOfCharacter(bytes: Buffer, index: number): number {
  let start = index;
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}
