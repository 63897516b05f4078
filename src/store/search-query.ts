// What people type into a search box, as an expression for the index. Nothing that is typed is an error of syntax.
import { composed, type Word, wordsOf } from '../kit/words.ts';

/** Words that stand side by side: a quoted phrase, a word, or an identifier such as `my_func.name`. */
export interface SearchTerm {
  readonly words: readonly string[];
  /** The last word may go on. */
  readonly isPrefix: boolean;
}

export interface SearchQuery {
  /** All of them must be there. */
  readonly terms: readonly SearchTerm[];
  /** None of them may be there. */
  readonly excluded: readonly SearchTerm[];
}

/** Each common word costs a walk through its entries: of a long query, the longest terms count. */
const MAX_WORDS = 16;
/** Shorter beginnings have too many words behind them, for the reader as for the index. */
const MIN_PREFIX = 3;

/** `-` before, then a quoted phrase or what stands between blanks, then `*`. */
const TERM = /((?<!\S)-(?=[\p{L}\p{N}"]))?(?:"([^"]*)("?)|([^\s"]+))(\*?)/gu;

/**
 * Words are ANDed, `"…"` is a phrase, `-` excludes, `word*` is a beginning; so is the last word while nothing
 * follows it. @returns null when there is no word in it
 */
export function parseSearch(text: string): SearchQuery | null {
  const terms: SearchTerm[] = [];
  const excluded: SearchTerm[] = [];
  const typed = composed(text);
  for (const match of typed.matchAll(TERM)) {
    const [whole, minus, phrase, closing, bare, star] = match;
    const isLast = match.index + whole.length === typed.length;
    const isOpen =
      star === '*' || bare?.endsWith('*') === true || (isLast && bare !== undefined && minus === undefined);
    const term = toTerm(phrase ?? bare ?? '', isOpen || (isLast && closing === ''));
    if (term !== null) (minus === undefined ? terms : excluded).push(term);
  }
  // Somebody who types only `-v` looks for it.
  const query = terms.length > 0 ? { terms, excluded } : { terms: excluded, excluded: [] };
  return query.terms.length === 0 ? null : { terms: limit(query.terms), excluded: limit(query.excluded) };
}

function toTerm(text: string, isOpen: boolean): SearchTerm | null {
  const found = [...wordsOf(text)];
  // The last sign alone stands where a run ends; in the text it may go on.
  if (found.at(-2)?.isPair === true && isUnspacedTail(found)) found.pop();
  const words = found.slice(0, MAX_WORDS).map((word) => word.text);
  const last = found.at(-1);
  if (last === undefined) return null;
  const isPrefix = isOpen && !last.isPair && found.length === words.length && last.text.length >= MIN_PREFIX;
  return { words, isPrefix };
}

/** Whether the last word is the end of the run of signs before it. */
function isUnspacedTail(found: readonly Word[]): boolean {
  const [pair, tail] = found.slice(-2);
  return pair !== undefined && tail !== undefined && pair.end === tail.end;
}

function limit(terms: readonly SearchTerm[]): SearchTerm[] {
  const length = (term: SearchTerm) => term.words.join('').length;
  const unique = [...new Map(terms.map((term) => [JSON.stringify(term), term])).values()];
  const kept: SearchTerm[] = [];
  let words = 0;
  for (const term of unique.toSorted((one, other) => length(other) - length(one))) {
    words += term.words.length;
    if (words > MAX_WORDS) break;
    kept.push(term);
  }
  return kept;
}
