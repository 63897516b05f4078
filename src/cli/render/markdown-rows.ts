// Markdown as it comes, into rows of a terminal: a line that is finished is styled and left as it is.
import { showControls } from '../../kit/show-controls.ts';
import { CodeLines, plainCode } from './code-lines.ts';
import { renderInline } from './inline.ts';
import { BOLD, DIM, looking, type Row, row, type Span, span, UNDERLINED, widthOf } from './spans.ts';
import { isDelimiter, renderTable } from './table.ts';
import { wrap } from './wrap.ts';

/** Longer lines of prose are hard to read. */
const MAX_PROSE = 100;
const FORMULA = '35';

interface Fence {
  readonly end: RegExp;
  /** Of its first line: so many blanks are no part of the code. */
  readonly indent: number;
  /** Null: a formula, which has no colours. */
  readonly code: CodeLines | null;
}

/** Has a lifetime: that of a text. */
export class MarkdownRows {
  #fence: Fence | null = null;
  /** Quotes that it stands in. */
  #fenceDepth = 0;
  /** Lines that are a table, or may become one. */
  #table: string[] = [];
  #isInList = false;
  #isAfterBlank = true;

  /** A whole line. @returns what is to be left on the screen */
  finish(line: string, columns: number): Row[] {
    // A carriage return is a line feed to the reader of markdown, and would be lost.
    const { quote, depth, text } = this.#splitQuote(showControls(line));
    const before = this.#endTable(text, columns);
    const rows = this.#finishLine(text, columns - widthOf(quote));
    this.#fenceDepth = depth;
    return [...before, ...rows.map((each) => ({ ...each, spans: [...quote, ...each.spans] }))];
  }

  /** The line that is not finished, as it may look. */
  preview(line: string, columns: number): Row[] {
    const { quote, text } = this.#splitQuote(showControls(line));
    const rows = this.#previewLine(text, columns - widthOf(quote));
    return rows.map((each) => ({ ...each, spans: [...quote, ...each.spans] }));
  }

  #previewLine(text: string, width: number): Row[] {
    if (this.#isTable(text)) return [row([span('table…', DIM)])];
    if (this.#fence !== null) {
      const isEnd = this.#fence.end.test(text);
      return isEnd ? [fenceRow('', width)] : plainCode(text.slice(indentOf(text, this.#fence.indent)), width);
    }
    // Its language may not be whole.
    return /^\s*(?:`{1,}|~{2,}|\$\$|\\\[?)[^`]*$/.test(text) ? [] : this.#renderProse(text, width, true);
  }

  /** The text is over. */
  end(columns: number): Row[] {
    const rows = this.#endTable('', columns);
    this.#fence = null;
    return rows;
  }

  #finishLine(text: string, width: number): Row[] {
    if (this.#fence !== null) return this.#finishCode(this.#fence, text, width);
    if (this.#isTable(text)) {
      this.#table.push(text);
      return [];
    }
    const fence = fenceOf(text);
    if (fence !== null) {
      this.#fence = fence.opened;
      return [fenceRow(fence.language, width)];
    }
    const rows = this.#renderProse(text, width, false);
    this.#isAfterBlank = text.trim() === '';
    if (LIST_ITEM.test(text)) this.#isInList = true;
    else if (/^\S/.test(text)) this.#isInList = false;
    return rows;
  }

  #finishCode(fence: Fence, text: string, width: number): Row[] {
    if (fence.end.test(text)) {
      this.#fence = null;
      return [fenceRow('', width)];
    }
    const code = text.slice(indentOf(text, fence.indent));
    if (fence.code !== null) return fence.code.finish(code, width);
    return wrap([span(code, FORMULA)], { width });
  }

  #isTable(text: string): boolean {
    return this.#table.length > 0 || (this.#fence === null && /^\s{0,3}\|/.test(text));
  }

  /** `> > text` → two bars, and the text. Inside of a fence, only as many as it stands behind. */
  #splitQuote(line: string): { readonly quote: Span[]; readonly depth: number; readonly text: string } {
    const most = this.#fence === null ? MAX_DEPTH : this.#fenceDepth;
    let depth = 0;
    let text = line;
    for (let mark = QUOTE.exec(text); mark !== null && depth < most; mark = QUOTE.exec(text)) {
      depth += 1;
      text = text.slice(mark[0].length);
    }
    return { quote: depth === 0 ? [] : [span('│ '.repeat(depth), DIM)], depth, text };
  }

  /** Before a line that is no part of it. */
  #endTable(text: string, width: number): Row[] {
    const lines = this.#table;
    if (lines.length === 0 || text.includes('|')) return [];
    this.#table = [];
    if (isDelimiter(lines[1] ?? '')) return renderTable(lines, width);
    return lines.flatMap((line) => this.#renderProse(line, width, false));
  }

  #renderProse(text: string, columns: number, isOpen: boolean): Row[] {
    const width = Math.min(columns, MAX_PROSE);
    const indent = indentOf(text, Math.floor(width / 2));
    const content = text.trim();
    if (content === '') return [row([])];
    if (indent >= 4 && !this.#isInList && this.#isAfterBlank) return plainCode(text, columns);
    if (RULE.test(content)) return [row([span('─'.repeat(Math.min(width, 40)), DIM)])];
    const heading = /^(#{1,6})\s+(.*?)(?:\s+#+)?$/.exec(content);
    if (heading !== null) {
      const look = heading[1] === '#' ? looking(BOLD, UNDERLINED) : BOLD;
      return wrap(renderInline(heading[2] ?? '', look, isOpen), { width });
    }
    const [, mark = '', rest = content] = /^([-*+]|\d{1,9}[.)])(?:\s+(.*))?$/s.exec(content) ?? [];
    const shown = mark === '' ? '' : /\d/.test(mark) ? `${mark} ` : '• ';
    const blanks = span(' '.repeat(indent));
    return wrap(renderInline(hardBreak(mark === '' ? content : rest, isOpen), '', isOpen), {
      width,
      first: [blanks, span(shown)],
      rest: [span(' '.repeat(indent + shown.length))],
    });
  }
}

/** Deeper ones are drawn no deeper: there would be no room for words. */
const MAX_DEPTH = 5;
const QUOTE = /^\s{0,3}>\s?/;
const LIST_ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
const RULE = /^(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;

function fenceOf(text: string): { readonly opened: Fence; readonly language: string } | null {
  const [, blanks = '', mark = '', info = ''] = /^(\s*)(`{3,}|~{3,})([^`]*)$/.exec(text) ?? [];
  if (mark !== '') {
    const language =
      info
        .trim()
        .split(/[\s{,]/, 1)[0]
        ?.toLowerCase() ?? '';
    const end = new RegExp(`^\\s*\\${mark[0]}{${mark.length},}\\s*$`);
    return { opened: { end, indent: blanks.length, code: new CodeLines(language) }, language };
  }
  const formula = /^\s*(\$\$|\\\[)\s*$/.exec(text)?.[1];
  if (formula === undefined) return null;
  const end = formula === '$$' ? /^\s*\$\$\s*$/ : /^\s*\\\]\s*$/;
  return { opened: { end, indent: 0, code: null }, language: 'formula' };
}

function fenceRow(language: string, width: number): Row {
  const name = language === '' ? '' : ` ${language}`;
  return row([span(`───${name}`.slice(0, Math.max(width, 3)), DIM)]);
}

/** Blanks at the beginning, as columns; at most so many. */
function indentOf(text: string, most: number): number {
  let at = 0;
  while (at < most && (text[at] === ' ' || text[at] === '\t')) at += 1;
  return at;
}

/** A `\` at the end of a line only says that it ends. */
function hardBreak(text: string, isOpen: boolean): string {
  return isOpen ? text : text.replace(/(?<!\\)\\$/, '');
}
