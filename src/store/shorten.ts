// The beginning of a text, to recognise it by.

/** @param length in code points, the dots that stand for the rest included */
export function shorten(text: string, length: number): string {
  // A code point takes at most two units, so this slice is enough and spares splitting a long message.
  const points = Array.from(text.slice(0, 2 * length + 2));
  if (points.length <= length) return text;
  return `${points.slice(0, length - 3).join('')}...`;
}
