// Code, coloured line by line as it comes: a finished line is never coloured anew.
import { type ColouredNode, colouring } from '../../markdown/colours.ts';
import { DIM, type Look, looking, type Row, type Span, span } from './spans.ts';
import { wrapAnywhere } from './wrap.ts';

/** Of the lines before, so much is read again for what a line means: the text of a comment, say. */
const CONTEXT = 4000;

/** Has a lifetime: that of a block of code. */
export class CodeLines {
  readonly #language: string | null;
  #before = '';

  constructor(language: string) {
    this.#language = colouring.knows(language) ? language : null;
  }

  finish(line: string, width: number): Row[] {
    const spans = this.#colour(line);
    const before = `${this.#before}${line}\n`;
    this.#before =
      before.length <= CONTEXT ? before : before.slice(before.indexOf('\n', before.length - CONTEXT) + 1);
    return wrapAnywhere(spans, width);
  }

  #colour(line: string): Span[] {
    if (this.#language === null || line.length > CONTEXT) return [span(line)];
    const nodes = colouring.colour(this.#language, `${this.#before}${line}`);
    return lastLineOf(nodes.flatMap((node) => toSpans(node, '')));
  }
}

export function plainCode(line: string, width: number): Row[] {
  return wrapAnywhere([span(line)], width);
}

interface Piece {
  readonly text: string;
  readonly look: Look;
}

function toSpans(node: ColouredNode, look: Look): Piece[] {
  if (typeof node === 'string') return [{ text: node, look }];
  const own = node.kind
    .split(' ')
    .map((kind) => LOOKS[kind.replace('hljs-', '')])
    .find((found) => found !== undefined);
  return node.children.flatMap((child) => toSpans(child, own ?? look));
}

function lastLineOf(pieces: readonly Piece[]): Span[] {
  const start = pieces.findLastIndex(({ text }) => text.includes('\n'));
  return pieces
    .slice(Math.max(start, 0))
    .map(({ text, look }, index) => span(index === 0 ? text.slice(text.lastIndexOf('\n') + 1) : text, look));
}

const LOOKS: Readonly<Record<string, Look>> = {
  keyword: '35',
  built_in: '36',
  type: '36',
  literal: '33',
  number: '33',
  string: '32',
  regexp: '32',
  symbol: '33',
  title: '34',
  section: looking('34', '1'),
  name: '34',
  attr: '36',
  attribute: '36',
  variable: '33',
  property: '36',
  meta: '35',
  comment: DIM,
  quote: DIM,
  doctag: DIM,
  addition: '32',
  deletion: '31',
  selector: '35',
  tag: '34',
  bullet: '33',
  link: '4',
};
