// How many columns a text takes on a terminal.
import stringWidth from 'string-width';
import { segmentGraphemes } from '../../kit/graphemes.ts';

const ASCII = /^[\u0020-\u007e]*$/;

/** Of a text without control characters. */
export function textWidth(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** What is never torn: an emoji of a family, a letter with its accents. */
export function splitCharacters(text: string): string[] {
  return ASCII.test(text) ? text.split('') : Array.from(segmentGraphemes(text), ({ segment }) => segment);
}
