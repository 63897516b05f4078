// JSON as people write it into configuration files: with comments and trailing commas. What is told about a fault has its line.

/** @throws SyntaxError with the line and the reason, `line 3: Expected ',' …` */
export function parseCommentedJson(text: string): unknown {
  const plain = plainJson(text);
  try {
    return JSON.parse(plain);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const line = faultyLine(plain.split('\n'));
    // What V8 says besides quotes the text, in which there may be a secret.
    const words = /^[^"]*?(?= in JSON|, ?["`]|\.\.\.)/.exec(reason)?.[0] ?? 'this is no JSON';
    throw new SyntaxError(`line ${line}: ${words}`, { cause: error });
  }
}

/** The first line with which it can no longer become JSON, from 1. */
function faultyLine(lines: readonly string[]): number {
  let good = 0;
  let bad = lines.length;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isBeginning(lines.slice(0, middle).join('\n').trimEnd())) good = middle;
    else bad = middle;
  }
  return bad;
}

/** It is wrong only because it ends. */
function isBeginning(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    if (/^Un(?:expected end|terminated)/.test(reason)) return true;
    return Number(/position (\d+)/.exec(reason)?.[1] ?? -1) >= text.length;
  }
}

/** From 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** The same text, each character at its place: comments and trailing commas are blanks. */
export function plainJson(text: string): string {
  // Strings come first, so that what looks like a comment inside one is none.
  const parts = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  const uncommented = text.replace(parts, (part) => (part.startsWith('"') ? part : blank(part)));
  return uncommented.replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, (part) => (part === ',' ? ' ' : part));
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
