// A text as the `tsvector` of its words: cut and folded as everywhere, with their places, so that phrases are found.
import { composed, signsOf, wordsOf } from '../../../kit/words.ts';

/** Of a word, in characters: PostgreSQL takes 2 046 bytes. */
const MAX_LEXEME = 500;
/** A `tsvector` keeps no more places of a word, and none beyond the last (datatype-textsearch, "limitations"). */
const MAX_PLACES = 255;
const LAST_PLACE = 16_383;
/** Of all words together: PostgreSQL takes 1 MiB. What is over is not found. */
const MAX_BYTES = 900_000;

export interface Lexemes {
  readonly words: string;
  /** Too long for places: a phrase is found where all of its words are. */
  readonly isLong: boolean;
}

export function lexeme(word: string): string {
  return word.slice(0, MAX_LEXEME);
}

/** With the places of words, and each sign of the unspaced scripts once without any, as `indexedWords` has them. */
export function toLexemes(text: string): Lexemes {
  const places = new Map<string, number[]>();
  const signs = new Set<string>();
  let place = 0;
  let bytes = 0;
  let isLong = false;
  for (const found of wordsOf(composed(text))) {
    const word = lexeme(found.text);
    place += 1;
    const known = places.get(word);
    bytes += known === undefined ? Buffer.byteLength(word) + 4 : 2;
    if (bytes > MAX_BYTES) break;
    if (known === undefined) places.set(word, [place]);
    else known.push(place);
    if (found.isPair) for (const sign of signsOf(word)) signs.add(sign);
    isLong ||= place > LAST_PLACE || (known?.length ?? 0) > MAX_PLACES;
  }
  for (const sign of signs) if (!places.has(sign)) places.set(sign, []);
  isLong ||= bytes > MAX_BYTES;
  const words = Array.from(places, ([word, at]) =>
    isLong || at.length === 0 ? `'${word}'` : `'${word}':${at.join()}`,
  );
  return { words: words.join(' '), isLong };
}
