// What a person types, line by line, each for whoever asks for it: the conversation, or a question in between. What is
// pasted is one line, however many it has.
import type { Interface } from 'node:readline';
import { Bell } from '../kit/bell.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';

/** Of a pipe that brings more than is asked for. */
const MAX_WAITING = 1024;

/** Has a lifetime: that of the interface. */
export class TypedLines {
  readonly #lines: Interface;
  readonly #isTerminal: boolean;
  /** Typed, and not asked for yet. */
  readonly #typed: string[] = [];
  /** Of a paste, the lines before the last, which stands there to be sent. */
  #pasted: string[] = [];
  #isPasting = false;
  readonly #bell = new Bell();
  #isOver = false;

  constructor(lines: Interface, isTerminal: boolean) {
    this.#lines = lines;
    this.#isTerminal = isTerminal;
    // From the start: lines of a pipe that come before anybody listens would be lost.
    lines.on('line', (line) => this.#take(line));
    lines.on('close', () => {
      this.#isOver = true;
      this.#bell.ring();
    });
  }

  /** @param name of a key, as readline tells it: a terminal says where a paste begins and ends */
  hearKey(name: string | undefined): void {
    if (name === 'paste-start') this.#isPasting = true;
    if (name === 'paste-end') this.#isPasting = false;
  }

  /**
   * @param draft stands in the line already, to be changed; plain text without control characters
   * @returns null when there will be none, or the signal has withdrawn the question
   */
  async next(prompt: string, signal?: AbortSignal, draft = ''): Promise<string | null> {
    const isNone = this.#isOver && this.#typed.length === 0;
    if (isNone || signal?.aborted) return null;
    if (this.#isTerminal && !this.#isOver) {
      this.#lines.setPrompt(prompt);
      this.#lines.prompt();
      this.#lines.write(draft);
    }
    try {
      while (this.#typed.length === 0 && !this.#isOver) await this.#nextRing(signal);
    } catch {
      this.#clearLine();
      return null;
    }
    const line = this.#typed.shift() ?? null;
    if (this.#typed.length === 0 && !this.#isOver) this.#lines.resume();
    return line;
  }

  /** @throws the reason of the signal */
  #nextRing(signal: AbortSignal | undefined): Promise<void> {
    const { rung } = this.#bell;
    return signal === undefined ? rung : unlessAborted(rung, signal);
  }

  #take(line: string): void {
    // A message of several lines that is taken from the history has these between them.
    const text = line.replaceAll('\r', '\n');
    if (this.#isPasting) {
      this.#pasted.push(text);
      return;
    }
    this.#typed.push([...this.#pasted, text].join('\n'));
    this.#pasted = [];
    if (this.#typed.length >= MAX_WAITING) this.#lines.pause();
    this.#bell.ring();
  }

  /** What was typed for a question that is withdrawn is no answer to the next one. */
  #clearLine(): void {
    if (!this.#isTerminal) return;
    this.#pasted = [];
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
  }
}
