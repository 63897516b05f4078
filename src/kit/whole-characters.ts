// Texts that never end inside a character. JavaScript holds an emoji as two halves; half of one is no text: JSON carries
// it, but no file and no database keeps it as it was.

/** The beginning of a text, in at most so many UTF-16 units. */
export function cutText(text: string, length: number): string {
  const isTorn = text.length > length && isFirstHalf(text.charCodeAt(length - 1));
  return text.slice(0, isTorn ? length - 1 : length).toWellFormed();
}

/** Its end, alike. */
export function cutTextFront(text: string, length: number): string {
  const end = text.slice(-length);
  const isTorn = text.length > length && isSecondHalf(end.charCodeAt(0));
  return (isTorn ? end.slice(1) : end).toWellFormed();
}

/** Has a lifetime: that of a text that comes in pieces, which may be torn anywhere. */
export class WholeCharacters {
  #half = '';

  /** @returns what can be told now: half of a character waits for the other half */
  push(piece: string): string {
    if (this.#half === '' && piece.isWellFormed()) return piece;
    const text = this.#half + piece;
    const isTorn = isFirstHalf(text.charCodeAt(text.length - 1));
    this.#half = isTorn ? text.slice(-1) : '';
    return (isTorn ? text.slice(0, -1) : text).toWellFormed();
  }

  /** Nothing more comes. @returns a replacement character for a half that is left */
  end(): string {
    const left = this.#half.toWellFormed();
    this.#half = '';
    return left;
  }
}

function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
