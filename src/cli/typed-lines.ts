// What a person types, line by line, each for whoever asks for it: the conversation, or a question in between.
import type { Interface } from 'node:readline';

/** Has a lifetime: that of the interface. */
export class TypedLines {
  readonly #lines: Interface;
  readonly #typed: AsyncIterator<string>;
  readonly #isTerminal: boolean;
  /** Asked for, and not typed yet: whoever asked may have gone. */
  #next: Promise<IteratorResult<string>> | null = null;
  #isOver = false;

  constructor(lines: Interface, isTerminal: boolean) {
    this.#lines = lines;
    // From the start: lines of a pipe that come before anybody listens would be lost.
    this.#typed = lines[Symbol.asyncIterator]();
    this.#isTerminal = isTerminal;
  }

  /**
   * @param draft stands in the line already, to be changed; plain text without control characters
   * @returns null when there will be none, or the signal has withdrawn the question
   */
  async next(prompt: string, signal?: AbortSignal, draft = ''): Promise<string | null> {
    if (this.#isOver || signal?.aborted) return null;
    if (this.#isTerminal) {
      this.#lines.setPrompt(prompt);
      this.#lines.prompt();
      this.#lines.write(draft);
    }
    this.#next ??= this.#typed.next();
    const withdrawn = new Promise<null>((resolve) => {
      signal?.addEventListener('abort', () => resolve(null), { once: true });
    });
    const typed = await Promise.race([this.#next, withdrawn]);
    if (typed === null) {
      this.#clearLine();
      return null;
    }
    this.#next = null;
    this.#isOver = typed.done === true;
    return typed.done === true ? null : typed.value;
  }

  /** What was typed for a question that is withdrawn is no answer to the next one. */
  #clearLine(): void {
    if (!this.#isTerminal) return;
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
  }
}
