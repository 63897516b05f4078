// Text in rows of some width: broken between words, and in scripts without blanks between characters.
import { type Cell, type Row, row, type Span, toCells, toSpans, widthOf } from './spans.ts';

interface WrapOptions {
  readonly width: number;
  /** What stands before the first row. */
  readonly first?: readonly Span[];
  /** Before each of the others; as wide as `first`, where the text is to stand in a column. */
  readonly rest?: readonly Span[];
}

/** Narrower than this, a text is not indented: there would be nothing left of it. */
const MIN_TEXT = 10;

export function wrap(spans: readonly Span[], { width, first = [], rest = [] }: WrapOptions): Row[] {
  const hanging = width - widthOf(rest) >= MIN_TEXT ? rest : [];
  const room = { first: Math.max(width - widthOf(first), 1), rest: Math.max(width - widthOf(hanging), 1) };
  return breakCells(toCells(spans), room).map((cells, index) =>
    row([...(index === 0 ? first : hanging), ...toSpans(cells)]),
  );
}

/** Rows that end at the edge wherever it is: the terminal itself breaks them, and copies them whole. */
export function wrapAnywhere(spans: readonly Span[], width: number): Row[] {
  const rows: Cell[][] = [[]];
  let used = 0;
  for (const cell of toCells(spans)) {
    if (used + cell.width > width && used > 0) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)?.push(cell);
    used += cell.width;
  }
  return rows.map((cells, index) => row(toSpans(cells), index < rows.length - 1));
}

interface Room {
  readonly first: number;
  readonly rest: number;
}

/** At least one row. */
export function breakCells(cells: readonly Cell[], { first, rest }: Room): Cell[][] {
  const rows: Cell[][] = [];
  let from = 0;
  do {
    const end = findBreak(cells, from, rows.length === 0 ? first : rest);
    rows.push(trimEnd(cells.slice(from, end)));
    from = end;
    while (isBlank(cells[from])) from += 1;
  } while (from < cells.length);
  return rows;
}

/** Where the row that begins at `from` ends. */
function findBreak(cells: readonly Cell[], from: number, width: number): number {
  let used = 0;
  let breakAt = from;
  for (let at = from; at < cells.length; at += 1) {
    const cell = cells[at];
    if (cell === undefined) break;
    if (at > from && canBreakBefore(cells, at)) breakAt = at;
    used += cell.width;
    // A blank may stand beyond the edge: nobody sees it.
    if (used > width && !isBlank(cell)) return breakAt > from ? breakAt : Math.max(at, from + 1);
  }
  return cells.length;
}

/** Marks that do not begin a row, and those that do not end one. */
const CLOSING = /^[、。，．：；！？）」』】〕〉》”’…・ー々％]/u;
const OPENING = /^[（「『【〔〈《“‘]/u;

function canBreakBefore(cells: readonly Cell[], at: number): boolean {
  const [before, after] = [cells[at - 1], cells[at]];
  if (before === undefined || after === undefined || isBlank(after)) return false;
  if (isBlank(before)) return true;
  if (before.width < 2 && after.width < 2)
    return before.text === '-' && /^\p{L}/u.test(after.text) && isWord(cells[at - 2]);
  return (
    !CLOSING.test(after.text) &&
    !OPENING.test(before.text) &&
    !/^\p{P}/u.test(after.width < 2 ? after.text : '')
  );
}

function isWord(cell: Cell | undefined): boolean {
  return cell !== undefined && /^\p{L}/u.test(cell.text);
}

function isBlank(cell: Cell | undefined): boolean {
  return cell?.text === ' ';
}

function trimEnd(cells: readonly Cell[]): Cell[] {
  let end = cells.length;
  while (end > 0 && isBlank(cells[end - 1])) end -= 1;
  return cells.slice(0, end);
}
