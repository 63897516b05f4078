// Ctrl-R: looks for what was typed before. The line is what is looked for; the newest message that has it stands before.
import type { Interface } from 'node:readline';
import { showLine } from '../../kit/show-controls.ts';
import { cutLine } from '../approval-text.ts';
import { terminalWidth } from '../terminal.ts';
import { replaceLine } from './replace-line.ts';
import type { TypedLines } from './typed-lines.ts';

interface SearchDeps {
  readonly lines: Interface;
  readonly typed: TypedLines;
  /** The newest first. */
  readonly messages: () => readonly string[];
}

export interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

/** Has a lifetime: that of the line editor. */
export class HistorySearch {
  readonly #deps: SearchDeps;
  /** Null: nothing is looked for. */
  #before: { readonly prompt: string; readonly line: string } | null = null;
  /** How many newer matches were passed over. */
  #skipped = 0;

  constructor(deps: SearchDeps) {
    this.#deps = deps;
  }

  /** After the line editor has heard the key. @returns whether it was for the search */
  hear({ name, ctrl = false }: Key): boolean {
    const { lines } = this.#deps;
    const isAgain = ctrl && name === 'r';
    if (this.#before === null) {
      if (!isAgain || !this.#deps.typed.isAsking) return false;
      this.#before = { prompt: lines.getPrompt(), line: lines.line };
      this.#skipped = 0;
      this.#deps.typed.intercept((line) => this.#end(this.#find(line) ?? line));
    } else if (name === 'escape' || (ctrl && name === 'g')) {
      this.#end(this.#before.line);
      return true;
    } else this.#skipped = isAgain ? this.#skipped + 1 : 0;
    this.#show();
    return true;
  }

  /** Gives up. @returns whether there was a search */
  cancel(): boolean {
    if (this.#before === null) return false;
    this.#end(this.#before.line);
    return true;
  }

  #find(line: string): string | null {
    const words = line.toLowerCase();
    if (words === '') return null;
    const found = this.#deps.messages().filter((message) => message.toLowerCase().includes(words));
    return found[Math.min(this.#skipped, found.length - 1)] ?? null;
  }

  #show(): void {
    if (this.#before === null) return;
    const { lines } = this.#deps;
    const found = this.#find(lines.line);
    const width = Math.max(terminalWidth() - lines.line.length - 14, 10);
    const shown = found === null ? (lines.line === '' ? '' : 'nothing') : cutLine(showLine(found), width);
    lines.setPrompt(`(search) ${shown === '' ? '' : `${shown} ← `}`);
    lines.prompt(true);
  }

  /** What was found stands in the line, to be changed or sent. */
  #end(text: string): void {
    const { lines, typed } = this.#deps;
    const prompt = this.#before?.prompt ?? '> ';
    this.#before = null;
    typed.intercept(null);
    lines.setPrompt(prompt);
    replaceLine(lines, text);
    lines.prompt(true);
  }
}
