// One line on the terminal of stderr that says what is being waited for, and since when. It is gone before anything else
// is printed.
import { cutLine } from '../approval-text.ts';
import { sayStatus } from '../terminal.ts';

const SECOND_MS = 1000;
/** Of a terminal that does not tell. */
const WIDTH = 80;

/** What it says after so many milliseconds. */
export type StatusText = (elapsedMs: number) => string;

/** Has a lifetime: that of the conversation. Where no terminal is, it says nothing. */
export class StatusLine {
  #text: StatusText | null = null;
  #since = 0;
  #timer: NodeJS.Timeout | null = null;

  show(text: StatusText): void {
    if (!process.stderr.isTTY) return;
    this.#text = text;
    this.#since = performance.now();
    this.#timer ??= setInterval(() => this.#draw(), SECOND_MS).unref();
    this.#draw();
  }

  /** The same thing goes on. */
  change(text: StatusText): void {
    if (this.#text === null) this.show(text);
    else this.#text = text;
  }

  clear(): void {
    if (this.#text === null) return;
    this.#text = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    sayStatus('');
  }

  #draw(): void {
    if (this.#text === null) return;
    const text = this.#text(performance.now() - this.#since);
    // The last column stays free: some terminals would begin a new line.
    sayStatus(cutLine(text, (process.stderr.columns || WIDTH) - 1));
  }
}
