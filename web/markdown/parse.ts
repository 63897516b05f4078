// Markdown into top-level blocks.
import { markdown, type Token } from '../../src/markdown/parser.ts';

/** One top-level block: a paragraph, a list, a table, a fence … */
export interface Block {
  readonly tokens: readonly Token[];
  /** The lines that it was made of. */
  readonly source: string;
  /** The line after its last one. */
  readonly end: number;
}

/** Definitions of links, for the whole text. */
type Environment = Record<string, unknown>;

export function parseBlocks(text: string, environment: Environment = {}): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let open: Token[] = [];
  let depth = 0;
  for (const token of markdown.parse(text, environment)) {
    open.push(token);
    depth += token.nesting;
    if (depth !== 0) continue;
    const [start, end] = open[0]?.map ?? [blocks.at(-1)?.end ?? 0, lines.length];
    blocks.push({ tokens: open, source: lines.slice(start, end).join('\n'), end });
    open = [];
  }
  return blocks;
}

/** What of a growing text is read already. */
export interface Reading {
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Blocks that no further text can change. */
  readonly settled: number;
}

export const NOTHING_READ: Reading = { text: '', blocks: [], settled: 0 };

/** Blocks at the end that more text may still change: a list may go on after its last line, say. */
const UNSETTLED = 2;

/** Reads on where the last reading was sure of what it saw; anew where the text does not continue the old one. */
export function readOn(reading: Reading, text: string): Reading {
  if (!text.startsWith(reading.text)) return readOn(NOTHING_READ, text);
  const kept = reading.blocks.slice(0, reading.settled);
  const from = kept.at(-1)?.end ?? 0;
  const rest = text.split('\n').slice(from).join('\n');
  const fresh = parseBlocks(rest).map((block) => ({ ...block, end: block.end + from }));
  const blocks = [...kept, ...fresh];
  return { text, blocks, settled: Math.max(reading.settled, blocks.length - UNSETTLED) };
}
