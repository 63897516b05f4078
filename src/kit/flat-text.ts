/**
 * The same text in one piece. V8 holds a text that was put together piece by piece as all of its pieces, each many times
 * as large as its few characters, until somebody looks into it.
 */
export function flatText(text: string): string {
  text.charCodeAt(text.length >> 1);
  return text;
}
