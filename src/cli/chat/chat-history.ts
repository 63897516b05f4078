// What was said at the terminal before, over sessions: for the arrow keys and Ctrl-R. A line that begins with a blank is
// not kept, and what was said in a session that is deleted goes with it.
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Interface } from 'node:readline';
import { writeAtomically } from '../../kit/atomic-file.ts';
import { PRIVATE_FILE } from '../../kit/private-files.ts';
import { toEntry } from './replace-line.ts';

const MAX_ENTRIES = 1000;
/** Of a file that grows by a line each time: it is written anew when it has twice as many as are read. */
const MAX_LINES = 2 * MAX_ENTRIES;

/** A message, and where it was said. */
export interface Said {
  readonly text: string;
  readonly server: string;
  readonly session: string;
}

export class ChatHistory {
  readonly #path: string;
  /** The oldest first, as in the file. */
  #said: Said[];
  #lines: Interface | null = null;

  private constructor(path: string, said: readonly Said[]) {
    this.#path = path;
    this.#said = said.slice(-MAX_ENTRIES);
  }

  /** Whatever is wrong with the file: a conversation does not fail for it. */
  static async read(dataDir: string): Promise<ChatHistory> {
    const path = join(dataDir, 'chat_history');
    const { said, isClean } = await readSaid(path);
    const history = new ChatHistory(path, said);
    if (said.length > MAX_LINES || !isClean) await history.#write(history.#said);
    return history;
  }

  /** The newest first. */
  get messages(): string[] {
    return this.#said.map(({ text }) => text).toReversed();
  }

  /** For the interface; it is not to add anything by itself, such as a `y` to a question. */
  serve(lines: Interface): void {
    this.#lines = lines;
    lines.on('history', (shown: string[]) => shown.splice(0, shown.length, ...this.#entries()));
    this.#show();
  }

  /** Where there is no data folder, for as long as the conversation lasts. */
  async remember(said: Said): Promise<void> {
    if (/^\s/.test(said.text) || said.text === '' || this.#said.at(-1)?.text === said.text) return;
    this.#said = [...this.#said, said].slice(-MAX_ENTRIES);
    this.#show();
    await appendFile(this.#path, toLine(said), { mode: PRIVATE_FILE }).catch(() => undefined);
  }

  /** Sessions of a server in which something was said. */
  sessionsOf(server: string): Set<string> {
    return new Set(this.#said.filter((said) => said.server === server).map(({ session }) => session));
  }

  /** What was said in sessions that are gone. Other terminals may have added lines: the file is read anew. */
  async forget(server: string, sessions: ReadonlySet<string>): Promise<void> {
    if (sessions.size === 0) return;
    const isKept = (said: Said) => said.server !== server || !sessions.has(said.session);
    this.#said = this.#said.filter(isKept);
    this.#show();
    const { said } = await readSaid(this.#path);
    const kept = said.filter(isKept);
    if (kept.length < said.length) await this.#write(kept);
  }

  async #write(said: readonly Said[]): Promise<void> {
    const text = said.map(toLine).join('');
    await writeAtomically(this.#path, 'replace', (file) => file.write(text)).catch(() => undefined);
  }

  /** Newest first, as readline has it. */
  #entries(): string[] {
    return this.messages.map(toEntry);
  }

  #show(): void {
    const shown: unknown = this.#lines === null ? null : Reflect.get(this.#lines, 'history');
    if (Array.isArray(shown)) shown.splice(0, shown.length, ...this.#entries());
  }
}

/** One line of JSON: a message may have several. */
function toLine(said: Said): string {
  return `${JSON.stringify(said)}\n`;
}

/** What cannot be told apart by its session is let go: nobody would know when it has to go. */
async function readSaid(path: string): Promise<{ readonly said: Said[]; readonly isClean: boolean }> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  const said = lines.map(toSaid).filter((each) => each !== null);
  return { said, isClean: said.length === lines.length };
}

function toSaid(line: string): Said | null {
  try {
    const { text, server, session } = Object(JSON.parse(line));
    const isWhole = [text, server, session].every((part) => typeof part === 'string');
    return isWhole ? { text, server, session } : null;
  } catch {
    return null;
  }
}
