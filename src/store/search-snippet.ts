// The part of a text around what was found, with the places of the hits in it.
import { segmentGraphemes } from '../kit/graphemes.ts';
import { composed, type Word, wordsOf } from '../kit/words.ts';
import type { SearchQuery, SearchTerm } from './search-query.ts';

export interface Snippet {
  readonly snippet: string;
  /** UTF-16 units, the end excluded, in order, not overlapping. */
  readonly highlights: (readonly [number, number])[];
}

interface Hit {
  readonly start: number;
  readonly end: number;
  readonly term: number;
}

/** UTF-16 units of a snippet, about. */
const LENGTH = 200;
/** What stands before the first hit. */
const LEAD = 40;
/** Hits after so many are not looked at: the best place is nearly always among the first. */
const MAX_HITS = 200;
/** How far a cut moves to find the end of a word. */
const WORD_REACH = 24;

/** Around the place with the most different terms, the first of them. A text without a hit shows its beginning. */
export function toSnippet(content: string, query: SearchQuery): Snippet {
  const text = composed(content);
  const hits = findHits(text, query.terms);
  const first = bestStart(hits);
  const from = cutBefore(text, Math.max(0, first - LEAD), first);
  const to = cutAfter(text, Math.max(from + LENGTH, lastEnd(hits, first)));
  const lead = from > 0 ? '…' : '';
  const highlights = merge(hits.filter(({ start, end }) => start >= from && end <= to)).map(
    ([start, end]) => [start - from + lead.length, end - from + lead.length] as const,
  );
  return { snippet: `${lead}${text.slice(from, to)}${to < text.length ? '…' : ''}`, highlights };
}

function findHits(text: string, terms: readonly SearchTerm[]): Hit[] {
  const longest = Math.max(...terms.map(({ words }) => words.length));
  const hits: Hit[] = [];
  const recent: Word[] = [];
  for (const word of wordsOf(text)) {
    recent.push(word);
    if (recent.length > longest) recent.shift();
    for (const [index, term] of terms.entries()) {
      if (!isHit(recent, term)) continue;
      hits.push({ ...boundsOf(recent.slice(-term.words.length), term), term: index });
    }
    if (hits.length >= MAX_HITS) break;
  }
  return hits;
}

/** Whether the last of the words are what is looked for. */
function isHit(recent: readonly Word[], { words, isPrefix }: SearchTerm): boolean {
  const before = recent.length - words.length;
  if (before < 0) return false;
  return words.every((wanted, index) => {
    const found = recent[before + index];
    if (found === undefined) return false;
    if (found.text === wanted) return true;
    const isLast = index === words.length - 1;
    // A single sign is the first of a pair.
    return isLast && (isPrefix || (found.isPair && words.length === 1)) && found.text.startsWith(wanted);
  });
}

function boundsOf(chain: readonly Word[], term: SearchTerm): { start: number; end: number } {
  const start = chain[0]?.start ?? 0;
  const last = chain.at(-1);
  if (last === undefined) return { start, end: start };
  const isFirstOfPair = last.isPair && term.words.length === 1 && last.text !== term.words[0];
  return {
    start,
    end: isFirstOfPair ? Math.min(last.end, last.start + (term.words[0]?.length ?? 0)) : last.end,
  };
}

/** Where the window with the most different terms begins. */
function bestStart(hits: readonly Hit[]): number {
  let best = { start: hits[0]?.start ?? 0, terms: 0 };
  for (const [index, { start }] of hits.entries()) {
    const inside = hits.slice(index).filter(({ end }) => end <= start + LENGTH - LEAD);
    const terms = new Set(inside.map(({ term }) => term)).size;
    if (terms > best.terms) best = { start, terms };
  }
  return best.start;
}

/** A long phrase is shown whole, within reason. */
function lastEnd(hits: readonly Hit[], start: number): number {
  const end = Math.max(0, ...hits.filter((hit) => hit.start === start).map((hit) => hit.end));
  return Math.min(end, start + 2 * LENGTH);
}

function cutBefore(text: string, at: number, latest: number): number {
  if (at === 0) return 0;
  const blank = text.slice(at, Math.min(latest, at + WORD_REACH)).search(/\s\S/);
  return blank >= 0 ? at + blank + 1 : graphemeStart(text, at);
}

function cutAfter(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const blank = text.slice(at, at + WORD_REACH).search(/\s/);
  return blank >= 0 ? at + blank : graphemeStart(text, at);
}

/** How far back a grapheme may begin: longer ones are nobody's text. */
const GRAPHEME_REACH = 64;

/** The start of the grapheme that holds a place. */
function graphemeStart(text: string, at: number): number {
  const from = Math.max(0, at - GRAPHEME_REACH);
  const stretch = text.slice(from, at + GRAPHEME_REACH);
  const start = from + (segmentGraphemes(stretch).containing(at - from)?.index ?? 0);
  const unit = text.charCodeAt(start);
  return unit >= 0xdc00 && unit <= 0xdfff && start > 0 ? start - 1 : start;
}

function merge(hits: readonly Hit[]): [number, number][] {
  const merged: [number, number][] = [];
  for (const { start, end } of hits.toSorted((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}
