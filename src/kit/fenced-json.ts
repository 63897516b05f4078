// JSON as language models write it.

/** The value of a JSON text, with or without Markdown fences around it. @throws SyntaxError */
export function parseFencedJson(text: string): unknown {
  return JSON.parse(withoutFences(text));
}

/** Models put JSON into Markdown fences although they were asked not to. */
function withoutFences(text: string): string {
  const trimmed = text.trim();
  const firstBreak = trimmed.indexOf('\n');
  const isFenced = firstBreak !== -1 && trimmed.startsWith('```') && trimmed.endsWith('```');
  return isFenced ? trimmed.slice(firstBreak + 1, -3) : trimmed;
}
