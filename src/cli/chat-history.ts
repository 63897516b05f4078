// What was said at the terminal before, over sessions: for the arrow keys. A line that begins with a blank is not kept.
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Interface } from 'node:readline';
import { writeAtomically } from '../kit/atomic-file.ts';
import { PRIVATE_FILE } from '../kit/private-files.ts';

const MAX_ENTRIES = 1000;
/** Of a file that grows by a line each time: it is written anew when it has twice as many as are read. */
const MAX_LINES = 2 * MAX_ENTRIES;

/** Newest first, as readline has it: the lines of a message from the last to the first. */
export class ChatHistory {
  readonly #path: string;
  readonly #entries: string[];

  private constructor(path: string, messages: readonly string[]) {
    this.#path = path;
    this.#entries = messages.toReversed().slice(0, MAX_ENTRIES).map(toEntry);
  }

  /** Whatever is wrong with the file: a conversation does not fail for it. */
  static async read(dataDir: string): Promise<ChatHistory> {
    const path = join(dataDir, 'chat_history');
    const messages = parse(await readFile(path, 'utf8').catch(() => ''));
    if (messages.length > MAX_LINES) {
      const lines = messages.slice(-MAX_ENTRIES).map(toLine).join('');
      await writeAtomically(path, 'replace', (file) => file.write(lines)).catch(() => undefined);
    }
    return new ChatHistory(path, messages);
  }

  /** For the interface; it is not to add anything by itself, such as a `y` to a question. */
  serve(lines: Interface): void {
    lines.on('history', (shown: string[]) => shown.splice(0, shown.length, ...this.#entries));
    const shown: unknown = Reflect.get(lines, 'history');
    if (Array.isArray(shown)) shown.push(...this.#entries);
  }

  /** Where there is no data folder, for as long as the conversation lasts. */
  async remember(message: string, lines: Interface): Promise<void> {
    const entry = toEntry(message);
    if (/^\s/.test(message) || message === '' || this.#entries[0] === entry) return;
    this.#entries.unshift(entry);
    this.#entries.length = Math.min(this.#entries.length, MAX_ENTRIES);
    const shown: unknown = Reflect.get(lines, 'history');
    if (Array.isArray(shown)) shown.splice(0, shown.length, ...this.#entries);
    await appendFile(this.#path, toLine(message), { mode: PRIVATE_FILE }).catch(() => undefined);
  }
}

function toEntry(message: string): string {
  return message.split('\n').toReversed().join('\r');
}

/** One line of JSON: a message may have several. */
function toLine(message: string): string {
  return `${JSON.stringify(message)}\n`;
}

function parse(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === 'string' ? [value] : [];
    } catch {
      return [];
    }
  });
}
