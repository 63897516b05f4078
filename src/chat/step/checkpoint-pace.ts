// When an answer that is being written is stored again. Each time the whole text is written: a long one is stored less
// often, so that what is written stays in proportion to the text.

/** Of a text that comes slowly, so many characters are written in a second, at most. */
const CHARACTERS_PER_SECOND = 32 * 1024;
/** A text that comes fast is stored when it has grown by this part. */
const GROWTH = 0.5;

export interface SavedText {
  /** Characters. */
  readonly length: number;
  /** On a monotonic clock, in milliseconds. */
  readonly at: number;
}

/** @param saved what was stored last; null: nothing yet */
export function isDue(saved: SavedText | null, length: number, now: number): boolean {
  if (saved === null) return true;
  const hasGrown = length - saved.length >= saved.length * GROWTH;
  return hasGrown || (now - saved.at) * CHARACTERS_PER_SECOND >= saved.length * 1000;
}
