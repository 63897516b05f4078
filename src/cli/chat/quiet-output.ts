// Where the line editor writes: to the terminal while somebody is asked, nowhere else. What is typed while an answer
// comes stays in the line, and does not stand in the answer.
import { Writable } from 'node:stream';
import { draw, screenSize } from '../terminal.ts';

/** Has a lifetime: that of the line editor. */
export class QuietOutput extends Writable {
  isQuiet = true;
  readonly isTTY: boolean;
  readonly #onResize = () => this.emit('resize');

  constructor(isTerminal: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTerminal;
    process.stdout.on('resize', this.#onResize);
  }

  /** As the line editor asks for them. */
  get columns(): number {
    return screenSize().columns;
  }

  get rows(): number {
    return screenSize().rows;
  }

  override _write(text: string | Buffer, _encoding: string, done: () => void): void {
    if (!this.isQuiet) draw(String(text));
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    process.stdout.off('resize', this.#onResize);
    done(error);
  }
}
