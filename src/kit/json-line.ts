// JSON on one line, whoever splits it.

/** Line ends to some readers, although not to the standard; JSON leaves them as they are. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;
const LINE_END = /[\u0085\u2028\u2029]/;

export function jsonLine(data: unknown): string {
  const text = JSON.stringify(data);
  // Hardly ever: looking is cheaper than replacing nothing.
  return LINE_END.test(text) ? text.replace(LINE_ENDS, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
