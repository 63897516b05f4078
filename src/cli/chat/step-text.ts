// Words of an agent, line by line: a line is shown when it is whole, since others may come between its pieces.

import { span } from '../render/spans.ts';
import { wrap } from '../render/wrap.ts';

/** Has a lifetime: that of a message. */
export class StepText {
  readonly message: string;
  #before: string;
  #open = '';

  /** @param before stands before the first line */
  constructor(message: string, before: string) {
    this.message = message;
    this.#before = before;
  }

  push(text: string, width: number): string[] {
    const lines = (this.#open + text).split('\n');
    this.#open = lines.pop() ?? '';
    return lines.flatMap((line) => this.#finish(line, width));
  }

  end(width: number): string[] {
    const left = this.#finish(this.#open, width);
    this.#open = '';
    return left;
  }

  #finish(line: string, width: number): string[] {
    if (line.trim() === '') return [];
    const whole = this.#before + line.trimEnd();
    this.#before = '';
    return wrap([span(whole)], { width }).map(({ spans }) => spans.map(({ text }) => text).join(''));
  }
}
