// Pieces of text with a look, and rows of them. What others said is made harmless when it becomes a piece.
import { showControls } from '../../kit/show-controls.ts';
import { splitCharacters, textWidth } from './text-width.ts';

/** Parameters of the sequence that makes text look so (`1;4`); empty: as usual. */
export type Look = string;

export const BOLD: Look = '1';
export const DIM: Look = '2';
export const ITALIC: Look = '3';
export const UNDERLINED: Look = '4';
export const STRUCK: Look = '9';

export interface Span {
  /** One line, without control characters. */
  readonly text: string;
  readonly look: Look;
}

export interface Row {
  readonly spans: readonly Span[];
  /** The next row goes on where this one ends, at the edge of the screen: what is copied has no break there. */
  readonly isSoft: boolean;
}

/** Tabs have a width that depends on where they stand. */
const TAB = '    ';

export function span(text: string, look: Look = ''): Span {
  return { text: showControls(text.replaceAll('\t', TAB)).replaceAll('\n', ' '), look };
}

export function row(spans: readonly Span[], isSoft = false): Row {
  return { spans, isSoft };
}

/** Both looks. */
export function looking(one: Look, other: Look): Look {
  return [one, other].filter((look) => look !== '').join(';');
}

export function widthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + textWidth(text), 0);
}

/** One character with its look. */
export interface Cell {
  readonly text: string;
  readonly look: Look;
  readonly width: number;
}

export function toCells(spans: readonly Span[]): Cell[] {
  return spans.flatMap(({ text, look }) =>
    splitCharacters(text).map((character) => ({ text: character, look, width: textWidth(character) })),
  );
}

export function toSpans(cells: readonly Cell[]): Span[] {
  const spans: Span[] = [];
  for (const { text, look } of cells) {
    const last = spans.at(-1);
    if (last?.look === look) spans[spans.length - 1] = { text: last.text + text, look };
    else spans.push({ text, look });
  }
  return spans;
}

/** As the terminal takes it. Each piece ends its own look. */
export function paint(spans: readonly Span[]): string {
  return spans.map(({ text, look }) => (look === '' ? text : `\u001b[${look}m${text}\u001b[0m`)).join('');
}
