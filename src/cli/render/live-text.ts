// A text on the terminal as it comes: finished lines are left alone, and only the one that grows is drawn anew. So
// scrollback, copying, tmux and screen readers have what they expect.
import { draw, type ScreenSize, screenSize } from '../terminal.ts';
import { MarkdownRows } from './markdown-rows.ts';
import { paint, type Row, widthOf } from './spans.ts';

/** Of a line that grows: it is read again with each piece. */
const MAX_OPEN = 4000;

interface DrawnRow {
  readonly text: string;
  readonly width: number;
  readonly isSoft: boolean;
}

/** Where it is drawn. */
export interface Canvas {
  draw(sequence: string): void;
  size(): ScreenSize;
}

const STDOUT: Canvas = { draw, size: screenSize };

/** Has a lifetime: that of a text. It begins at the beginning of a line. */
export class LiveText {
  readonly #canvas: Canvas;
  readonly #markdown = new MarkdownRows();
  #open = '';
  /** Of the line that grows. */
  #drawn: readonly DrawnRow[] = [];
  #columns = 0;

  constructor(canvas: Canvas = STDOUT) {
    this.#canvas = canvas;
  }

  write(text: string): void {
    const lines = (this.#open + text).split('\n');
    this.#open = lines.pop() ?? '';
    const { columns } = this.#canvas.size();
    this.#show(
      lines.flatMap((line) => this.#markdown.finish(line.replace(/\r$/, ''), columns)),
      columns,
    );
  }

  /** Nothing more comes: the next thing begins a line. */
  end(): void {
    const { columns } = this.#canvas.size();
    const last = this.#open === '' ? [] : this.#markdown.finish(this.#open, columns);
    this.#open = '';
    this.#draw([...last, ...this.#markdown.end(columns)], [], columns);
  }

  #show(finished: Row[], columns: number): void {
    let open = this.#open === '' ? [] : this.#markdown.preview(this.#open, columns);
    // A row that has left the screen cannot be drawn anew: what there is of the line is finished.
    while (
      open.length > Math.max(this.#canvas.size().rows - 2, 2) ||
      (open.length > 1 && this.#open.length > MAX_OPEN)
    ) {
      const blank = this.#open.lastIndexOf(' ', this.#open.length - 2);
      const end = blank > 0 ? blank + 1 : this.#open.length;
      finished.push(...this.#markdown.finish(this.#open.slice(0, end), columns));
      this.#open = this.#open.slice(end);
      open = this.#open === '' ? [] : this.#markdown.preview(this.#open, columns);
    }
    this.#draw(finished, open, columns);
  }

  #draw(finished: readonly Row[], open: readonly Row[], columns: number): void {
    const before = this.#leaveResized(columns);
    const rows = [...finished, ...open].map(toDrawn);
    const end = finished.length > 0 && open.length === 0 ? '\n' : '';
    this.#canvas.draw(before + this.#changes(rows) + end);
    this.#drawn = rows.slice(finished.length);
    this.#columns = columns;
  }

  /** What was drawn for another width stands where nobody knows: it is left there, and drawn once more below. */
  #leaveResized(columns: number): string {
    const stays = this.#drawn.every(({ width, isSoft }) => !isSoft && width <= columns);
    if (columns === this.#columns || this.#drawn.length === 0 || stays) return '';
    this.#drawn = [];
    return '\n';
  }

  /** From what stands there to these rows. */
  #changes(rows: readonly DrawnRow[]): string {
    const drawn = this.#drawn;
    let same = rows.findIndex((row, index) => row.text !== drawn[index]?.text);
    if (same === -1) same = rows.length;
    if (same === drawn.length) {
      const separator = same === 0 || same === rows.length || rows[same - 1]?.isSoft ? '' : '\n';
      return separator + joined(rows.slice(same));
    }
    const [old, next] = [drawn[same], rows[same]];
    if (same === drawn.length - 1 && old !== undefined && next?.text.startsWith(old.text)) {
      return next.text.slice(old.text.length) + joinedAfter(next, rows.slice(same + 1));
    }
    while (same > 0 && drawn[same - 1]?.isSoft) same -= 1;
    const up = drawn.length - 1 - same;
    return `${up > 0 ? `\u001b[${up}A` : ''}\r\u001b[J${joined(rows.slice(same))}`;
  }
}

function toDrawn({ spans, isSoft }: Row): DrawnRow {
  return { text: paint(spans), width: widthOf(spans), isSoft };
}

function joined(rows: readonly DrawnRow[]): string {
  return rows.map((row, index) => row.text + (row.isSoft || index === rows.length - 1 ? '' : '\n')).join('');
}

function joinedAfter(row: DrawnRow, rows: readonly DrawnRow[]): string {
  return rows.length === 0 ? '' : (row.isSoft ? '' : '\n') + joined(rows);
}
