// A message as a person types it, over several lines where it says so: between two `"""`, or after a `\` at the end.
import type { TypedLines } from './typed-lines.ts';

const PROMPT = '> ';
const MORE = '. ';
const QUOTE = '"""';

/** @param draft stands in the line already. @returns null when there will be none */
export async function readMessage(typed: Pick<TypedLines, 'next'>, draft = ''): Promise<string | null> {
  let message = await typed.next(PROMPT, { draft });
  while (message !== null && isOpen(message)) {
    const line = await typed.next(MORE);
    const begun: string = message.startsWith(QUOTE) ? message : message.slice(0, -1);
    message = line === null ? null : `${begun}\n${line}`;
  }
  return message !== null && message.startsWith(QUOTE) ? message.slice(QUOTE.length, -QUOTE.length) : message;
}

/** Whether more is to come. */
function isOpen(message: string): boolean {
  if (!message.startsWith(QUOTE)) return message.endsWith('\\');
  return message.length < 2 * QUOTE.length || !message.endsWith(QUOTE);
}
