// What a terminal shows of what was written to it: the emulator of an editor, without its window.
import { createRequire } from 'node:module';

/** Their types would bring those of browsers into the whole project. */
interface Emulator {
  readonly buffer: {
    readonly active: { readonly length: number; getLine(index: number): Line | undefined };
  };
  readonly unicode: { activeVersion: string };
  loadAddon(addon: object): void;
  write(text: string, done: () => void): void;
  resize(columns: number, rows: number): void;
}

interface Line {
  readonly isWrapped: boolean;
  translateToString(isTrimmed: boolean): string;
}

const require = createRequire(import.meta.url);
const { Terminal } = require('@xterm/headless') as { Terminal: new (options: object) => Emulator };
const { UnicodeGraphemesAddon } = require('@xterm/addon-unicode-graphemes') as {
  UnicodeGraphemesAddon: new () => object;
};

export interface Screen {
  write(text: string): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Everything, what has been scrolled away first; without blanks at the ends of lines. Rows that the terminal itself broke are one line. */
  text(): string;
  /** The same, row by row. */
  rows(): string[];
}

export function createScreen(columns: number, rows = 24): Screen {
  const terminal = new Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  terminal.unicode.activeVersion = '15-graphemes';
  const listRows = () => {
    const { active } = terminal.buffer;
    return Array.from({ length: active.length }, (_, index) => active.getLine(index));
  };
  return {
    write: (text) => new Promise((resolve) => terminal.write(text, resolve)),
    resize: (columns, rows) => terminal.resize(columns, rows),
    text: () =>
      listRows()
        .map(
          (line, index) =>
            `${index > 0 && !line?.isWrapped ? '\n' : ''}${line?.translateToString(!listRows()[index + 1]?.isWrapped) ?? ''}`,
        )
        .join('')
        .trimEnd(),
    rows: () =>
      listRows()
        .map((line) => line?.translateToString(true) ?? '')
        .join('\n')
        .trimEnd()
        .split('\n'),
  };
}
