// The real command at a terminal of some width, as a person sits at it: a pseudo-terminal, through Python's.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

export interface Terminal {
  /** What stood on it since it was opened, without sequences that move or colour. */
  readonly screen: string;
  /** Types a line. */
  type(line: string): void;
  /** Types bytes, such as Ctrl-C (`\u0003`) and Ctrl-D (`\u0004`). */
  press(keys: string): void;
  /** Resolves when it was written since the last one of these. @throws Error when the command ends without */
  shows(pattern: RegExp): Promise<void>;
  /** The status. */
  readonly exited: Promise<number | null>;
}

interface TerminalOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly columns?: number;
}

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
/** With a command that writes nothing more: the test has failed, and what there is says why. */
const PATIENCE_MS = 30_000;
const SIZED = 'stty cols "$1" rows 24; shift; exec "$@"';
const PYTHON = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

export function openTerminal(args: readonly string[], { env, columns = 80 }: TerminalOptions): Terminal {
  const command = ['sh', '-c', SIZED, 'sh', String(columns), process.execPath, BIN, ...args];
  const python = spawn('python3', ['-c', PYTHON, ...command], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  let looked = 0;
  const wakers = new Set<() => void>();
  let hasEnded = false;
  python.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += stripVTControlCharacters(text).replaceAll('\r', '');
    for (const wake of wakers) wake();
  });
  const exited = new Promise<number | null>((resolve) => {
    python.on('close', (status) => {
      hasEnded = true;
      for (const wake of wakers) wake();
      resolve(status);
    });
  });
  return {
    get screen() {
      return screen;
    },
    type: (line) => void python.stdin.write(`${line}\r`),
    press: (keys) => void python.stdin.write(keys),
    async shows(pattern) {
      for (;;) {
        const found = pattern.exec(screen.slice(looked));
        if (found !== null) {
          looked += found.index + found[0].length;
          return;
        }
        if (hasEnded) throw new Error(`It ended without ${pattern}:\n${screen.slice(looked)}`);
        await new Promise<void>((resolve, reject) => {
          const late = () => reject(new Error(`It does not show ${pattern}:\n${screen.slice(looked)}`));
          const timer = setTimeout(late, PATIENCE_MS);
          const wake = () => {
            clearTimeout(timer);
            wakers.delete(wake);
            resolve();
          };
          wakers.add(wake);
        });
      }
    },
    exited,
  };
}
