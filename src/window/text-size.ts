// How much text there is, told apart by how many bytes a token of it holds.

/** UTF-8 bytes. */
export interface TextSize {
  /** Letters, spaces and signs of ASCII. */
  readonly plain: number;
  /** Digits, and what is beyond ASCII: there a token may be as short as a byte. */
  readonly dense: number;
}

export const NO_TEXT: TextSize = { plain: 0, dense: 0 };

const CODE_OF_0 = 48;
const CODE_OF_9 = 57;
const FIRST_BEYOND_ASCII = 128;

export function measureText(text: string): TextSize {
  let plain = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < CODE_OF_0 || (code > CODE_OF_9 && code < FIRST_BEYOND_ASCII)) plain += 1;
  }
  return { plain, dense: Buffer.byteLength(text) - plain };
}

export function addText(left: TextSize, right: TextSize): TextSize {
  return { plain: left.plain + right.plain, dense: left.dense + right.dense };
}
