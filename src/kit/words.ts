// Text into words that compare: what a search looks for and what it looks in are cut and folded the same way.

/** A word as it compares, and where it stands in the text (UTF-16 units, the end excluded). */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** One of a chain of pairs, from a script that sets no blanks between its words. */
  readonly isPair: boolean;
}

/** Scripts whose words have no blanks between them (UAX #29 leaves them to dictionaries), and Korean, whose endings stick. */
const UNSPACED =
  '[[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]&&[\\p{L}\\p{N}\\p{M}]]';
const RUN = new RegExp(
  `(${UNSPACED}+)|[[\\p{L}\\p{N}\\p{M}]--${UNSPACED}]+|\\p{Extended_Pictographic}`,
  'gv',
);
/** A letter with its marks; the half-width sound marks of kana are letters to Unicode. */
const SIGN = /\P{M}[\p{M}\uff9e\uff9f]*|\p{M}+/gu;
/** Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic: written or not, it is the same word. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]/g;
const IS_ASCII = /^[\0-\x7f]*$/;
/** The same in a lower-case text of ASCII, where it takes a third of the time. */
const ASCII_RUN = /[0-9a-z]+/g;
/** Letters that no normalisation takes apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ł: 'l',
  ı: 'i',
  ς: 'σ',
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');

/** UTF-16 units of a text that are looked at: a listing of megabytes must not hold up everybody else. */
const MAX_LENGTH = 200_000;

/** The form in which words are cut and their places count: a letter and its marks are one. Long texts lose their end. */
export function composed(text: string): string {
  return text.slice(0, MAX_LENGTH).normalize('NFC');
}

/**
 * The words of a composed text in order, without case and accents. A run of Chinese, Japanese, Korean, Thai, Lao,
 * Khmer or Burmese becomes overlapping pairs and its last sign alone: any part of it is then a chain of these.
 */
export function* wordsOf(text: string): Generator<Word, void> {
  if (IS_ASCII.test(text)) {
    for (const { 0: word, index } of text.toLowerCase().matchAll(ASCII_RUN)) {
      yield { text: word, start: index, end: index + word.length, isPair: false };
    }
    return;
  }
  for (const { 0: run, 1: unspaced, index } of text.matchAll(RUN)) {
    if (unspaced === undefined) {
      const word = fold(run);
      // A mark without a letter folds to nothing.
      if (word !== '') yield { text: word, start: index, end: index + run.length, isPair: false };
    } else yield* pairsOf(unspaced, index);
  }
}

function* pairsOf(run: string, start: number): Generator<Word, void> {
  const signs = Array.from(run.matchAll(SIGN), ({ 0: sign, index }) => ({
    text: fold(sign),
    start: start + index,
    end: start + index + sign.length,
  }));
  for (const [index, sign] of signs.entries()) {
    const next = signs[index + 1];
    yield {
      text: sign.text + (next?.text ?? ''),
      start: sign.start,
      end: next?.end ?? sign.end,
      isPair: next !== undefined,
    };
  }
}

/**
 * What an index holds of a text: its words, and after them each sign of the unspaced scripts once, so that a word
 * of a single sign is found, too.
 */
export function indexedWords(text: string): string {
  const words: string[] = [];
  const signs = new Set<string>();
  for (const word of wordsOf(composed(text))) {
    words.push(word.text);
    if (word.isPair) for (const sign of signsOf(word.text)) signs.add(sign);
  }
  return [...words, ...signs].join(' ');
}

/** The two of a pair. */
export function signsOf(pair: string): readonly string[] {
  return pair.match(SIGN) ?? [];
}

function fold(text: string): string {
  if (IS_ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .normalize('NFKC')
    .toLowerCase()
    .replace(ACCENTS, '')
    .replace(LETTER, (letter) => LETTERS[letter] ?? letter)
    .replaceAll(/[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}]/gu, '');
}
