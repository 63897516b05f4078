// What a person types, line by line, each for whoever asks for it: the conversation, or a question in between. What is
// pasted is one line, however many it has.
import type { Interface } from 'node:readline';
import { Bell } from '../../kit/bell.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { say } from '../terminal.ts';
import type { QuietOutput } from './quiet-output.ts';
import { replaceLine } from './replace-line.ts';

/** Of a pipe that brings more than is asked for. */
const MAX_WAITING = 1024;

export interface Asked {
  /** Withdraws the question. */
  readonly signal?: AbortSignal | undefined;
  /** Stands in the line already, to be changed; without control characters but line feeds. */
  readonly draft?: string;
}

/** Has a lifetime: that of the interface. */
export class TypedLines {
  readonly #lines: Interface;
  /** Of a terminal. */
  readonly #output: QuietOutput | null;
  /** Typed, and not asked for yet. */
  readonly #typed: string[] = [];
  /** Of a paste, the lines before the last, which stands there to be sent. */
  #pasted: string[] = [];
  #isPasting = false;
  readonly #bell = new Bell();
  #isOver = false;
  /** Takes lines that are no answers. */
  #intercept: ((line: string) => void) | null = null;

  constructor(lines: Interface, output: QuietOutput | null) {
    this.#lines = lines;
    this.#output = output;
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

  /** The next line is for somebody else; null: not any more. */
  intercept(take: ((line: string) => void) | null): void {
    this.#intercept = take;
  }

  /** It was for whoever asks next. */
  putBack(line: string): void {
    this.#typed.unshift(line);
  }

  /** Whether somebody is asked now. */
  get isAsking(): boolean {
    return this.#output !== null && !this.#output.isQuiet;
  }

  /** @returns null when there will be none, or the signal has withdrawn the question */
  async next(prompt: string, { signal, draft = '' }: Asked = {}): Promise<string | null> {
    const isNone = this.#isOver && this.#typed.length === 0;
    if (isNone || signal?.aborted) return null;
    this.#ask(prompt, draft);
    try {
      while (this.#typed.length === 0 && !this.#isOver) await this.#nextRing(signal);
    } catch {
      this.#clearLine();
      return null;
    } finally {
      this.#beQuiet(true);
    }
    const line = this.#typed.shift() ?? null;
    if (this.#typed.length === 0 && !this.#isOver) this.#lines.resume();
    return line;
  }

  #ask(prompt: string, draft: string): void {
    if (this.#output === null || this.#isOver) return;
    const [early] = this.#typed;
    // Typed while the answer came: it was not seen then.
    if (early !== undefined) return say(`${prompt}${early}\n`);
    this.#beQuiet(false);
    // Where the cursor was before the answer means nothing now.
    Reflect.set(this.#lines, 'prevRows', 0);
    this.#lines.setPrompt(prompt);
    this.#lines.prompt(true);
    if (draft !== '') replaceLine(this.#lines, draft);
  }

  #beQuiet(isQuiet: boolean): void {
    if (this.#output !== null) this.#output.isQuiet = isQuiet;
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
    const whole = [...this.#pasted, text].join('\n');
    this.#pasted = [];
    if (this.#intercept !== null) return this.#intercept(whole);
    this.#typed.push(whole);
    this.#beQuiet(true);
    if (this.#typed.length >= MAX_WAITING) this.#lines.pause();
    this.#bell.ring();
  }

  /** What was typed for a question that is withdrawn is no answer to the next one. */
  #clearLine(): void {
    if (this.#output === null) return;
    this.#pasted = [];
    replaceLine(this.#lines, '');
  }
}
