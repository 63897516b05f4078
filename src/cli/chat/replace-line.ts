// Puts a text into the line that is being typed, in the place of what stands there.
import type { Interface } from 'node:readline';

export function replaceLine(lines: Interface, text: string): void {
  lines.write(null, { ctrl: true, name: 'e' });
  lines.write(null, { ctrl: true, name: 'u' });
  if (!text.includes('\n')) {
    lines.write(text);
    return;
  }
  // Several lines at once are what only the history brings.
  const history: unknown = Reflect.get(lines, 'history');
  if (!Array.isArray(history)) return;
  const kept = history.splice(0, history.length, toEntry(text));
  Reflect.set(lines, 'historyIndex', -1);
  lines.write(null, { name: 'up' });
  history.splice(0, history.length, ...kept);
  Reflect.set(lines, 'historyIndex', -1);
}

/** As the line editor keeps a message of several lines: from the last to the first. */
export function toEntry(message: string): string {
  return message.split('\n').toReversed().join('\r');
}
