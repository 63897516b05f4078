// A title as models write it → a few words on one line.
import { segmentGraphemes } from '../kit/graphemes.ts';
import { withoutThoughts } from '../kit/model-json.ts';

/** Longest title, in characters as people see them. */
const MAX_LENGTH = 60;
/** Room for the dots of a title that was cut. */
const CUT_LENGTH = MAX_LENGTH - 1;
/** What a model wrote beyond this is not looked at; in UTF-16 units, enough for 60 of the longest emoji. */
const MAX_READ_LENGTH = 800;
/** A word is only kept whole while this much of the title stays. */
const LEAST_CUT_LENGTH = 30;

const QUOTES = /^["'`“”„‟«»‹›「」『』《》〈〉‘’‚＂]+|["'`“”„‟«»‹›「」『』《》〈〉‘’‚＂]+$/gu;
const MARKDOWN = /^(?:#{1,6}\s+|>\s*|[-*+•]\s+)+|\*{1,3}|_{2,3}|`+|~~/gu;
const LINK = /!?\[([^\]]*)\]\([^)]*\)/gu;
const LABEL = /^(?:title|titel|titre|título|titolo|标题|標題|タイトル|제목)\s*[:：]\s*/iu;
/** Marks that change the direction of what is shown around them, and controls. */
const CONTROLS = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const THOUGHT_MARKS = /<\/?think(?:ing)?>/giu;
const LAST_DOTS = /[.。．…‥:：;,、]+$/u;

/** @returns at most 60 characters on one line, without thoughts, quotes, Markdown and a last dot; '' when nothing is left */
export function cleanTitle(text: string): string {
  const [line = ''] = withoutThoughts(text)
    .replace(THOUGHT_MARKS, ' ')
    .trimStart()
    .slice(0, MAX_READ_LENGTH)
    .toWellFormed()
    .split(/[\r\n\u2028\u2029]+/)
    .map((candidate) => candidate.replace(CONTROLS, ' ').trim())
    .filter(Boolean);
  let title = line.replace(LINK, '$1');
  for (let before = ''; before !== title; ) {
    before = title;
    title = title
      .replace(MARKDOWN, '')
      .replace(LABEL, '')
      .replace(QUOTES, '')
      .replace(LAST_DOTS, '')
      .replace(/\s+/g, ' ')
      .trim();
  }
  return shorten(title);
}

function shorten(title: string): string {
  const seen = Array.from(segmentGraphemes(title), ({ segment }) => segment);
  if (seen.length <= MAX_LENGTH) return seen.join('');
  const cut = seen.slice(0, CUT_LENGTH);
  const lastSpace = cut.lastIndexOf(' ');
  const end = lastSpace >= LEAST_CUT_LENGTH && seen[CUT_LENGTH] !== ' ' ? lastSpace : CUT_LENGTH;
  return `${cut
    .slice(0, end)
    .join('')
    .replace(/[\s\p{P}]+$/u, '')}…`;
}
