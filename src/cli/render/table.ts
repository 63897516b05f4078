// A table of markdown, once all of it is there: in columns that fit the screen, or cell under cell where none would.
import { renderInline } from './inline.ts';
import { BOLD, type Cell, DIM, type Row, row, type Span, span, toCells, toSpans, widthOf } from './spans.ts';
import { breakCells, wrap } from './wrap.ts';

const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
/** Narrower columns break every word. */
const MIN_COLUMN = 8;
const BETWEEN = span(' │ ', DIM);

export function isDelimiter(line: string): boolean {
  return DELIMITER.test(line) && line.includes('-') && line.includes('|');
}

/** @param lines the head, its underline, and the rest */
export function renderTable(lines: readonly string[], width: number): Row[] {
  const [head = '', underline = '', ...rest] = lines;
  const aligned = splitCells(underline).map(alignmentOf);
  const rows = [head, ...rest].map((line, index) =>
    aligned.map((_, column) => renderInline(splitCells(line)[column] ?? '', index === 0 ? BOLD : '', false)),
  );
  const widths = fitColumns(
    aligned.map((_, column) => Math.max(3, ...rows.map((cells) => widthOf(cells[column] ?? [])))),
    width - BETWEEN.text.length * (aligned.length - 1),
  );
  if (widths === null) return listCells(rows, width);
  const rule = span(widths.map((columns) => '─'.repeat(columns)).join('─┼─'), DIM);
  const [first = [], ...others] = rows.map((cells) => layOut(cells, widths, aligned));
  // Where cells have several rows, it must be seen where the next one begins.
  const isTall = others.some((laid) => laid.length > 1);
  return [
    ...first,
    row([rule]),
    ...others.flatMap((laid, index) => (isTall && index > 0 ? [row([rule]), ...laid] : laid)),
  ];
}

/** Pipes in code and behind `\` are no borders. */
function splitCells(line: string): string[] {
  const cells = [''];
  let isCode = false;
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  for (let at = 0; at < inner.length; at += 1) {
    const character = inner[at] ?? '';
    if (character === '`') isCode = !isCode;
    if (character === '\\' && inner[at + 1] === '|') {
      cells[cells.length - 1] += '|';
      at += 1;
    } else if (character === '|' && !isCode) cells.push('');
    else cells[cells.length - 1] += character;
  }
  return cells.map((cell) => cell.trim().replaceAll(/<br\s*\/?>/gi, ' '));
}

type Alignment = 'left' | 'centre' | 'right';

function alignmentOf(cell: string): Alignment {
  if (!cell.endsWith(':')) return 'left';
  return cell.startsWith(':') ? 'centre' : 'right';
}

/** The widest ones give way. @returns null where they do not fit however they are cut */
function fitColumns(wanted: readonly number[], room: number): number[] | null {
  let most = Math.max(...wanted);
  const taken = (limit: number) => wanted.reduce((sum, columns) => sum + Math.min(columns, limit), 0);
  while (taken(most) > room && most > MIN_COLUMN) most -= 1;
  return taken(most) > room ? null : wanted.map((columns) => Math.min(columns, most));
}

function layOut(cells: readonly Span[][], widths: readonly number[], aligned: readonly Alignment[]): Row[] {
  const columns = cells.map((spans, column) => {
    const columnWidth = widths[column] ?? 0;
    return breakCells(toCells(spans), { first: columnWidth, rest: columnWidth });
  });
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    row(
      columns.flatMap((lines, column) => [
        ...(column === 0 ? [] : [BETWEEN]),
        ...padded(lines[line] ?? [], widths[column] ?? 0, aligned[column] ?? 'left'),
      ]),
    ),
  );
}

function padded(cells: readonly Cell[], width: number, alignment: Alignment): Span[] {
  const spans = toSpans(cells);
  const missing = Math.max(width - widthOf(spans), 0);
  const before = alignment === 'left' ? 0 : alignment === 'right' ? missing : Math.floor(missing / 2);
  return [span(' '.repeat(before)), ...spans, span(' '.repeat(missing - before))];
}

function listCells(rows: readonly (readonly Span[][])[], width: number): Row[] {
  const [head = [], ...rest] = rows;
  return rest.flatMap((cells, index) => [
    ...(index === 0 ? [] : [row([])]),
    ...cells.flatMap((spans, column) =>
      wrap([...(head[column] ?? []), span(': ', DIM), ...spans], { width, rest: [span('  ')] }),
    ),
  ]);
}
