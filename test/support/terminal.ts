// The real command at a terminal of some width, as a person sits at it: a pseudo-terminal, through Python's.
import { spawn, spawnSync } from 'node:child_process';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { onTestFinished } from 'vitest';

export interface Terminal {
  /** What stood on it since it was opened, without sequences that move or colour. */
  readonly screen: string;
  /** All that was written to it, as it was. */
  readonly written: string;
  resize(columns: number, rows: number): void;
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
/** Lines on descriptor 3 are new sizes. */
const PYTHON = `
import fcntl, os, pty, select, struct, sys, termios
def resize(fd, size):
    columns, rows = map(int, size.split())
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    os.close(3)
    resize(0, sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])
open_inputs = [fd, 0, 3]
while True:
    ready, _, _ = select.select(open_inputs, [], [])
    for source in ready:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b''
        if source == fd and not data:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        if not data:
            open_inputs.remove(source)
        elif source == fd:
            os.write(1, data)
        elif source == 0:
            os.write(fd, data)
        else:
            resize(fd, data.decode().splitlines()[-1])
`;

/** Python has pseudo-terminals on every Unix. */
export const HAS_TERMINAL = spawnSync('python3', ['-c', 'import pty']).status === 0;
if (!HAS_TERMINAL) console.warn('SKIPPED: what needs a terminal, since there is no python3 with pty.');

export function openTerminal(args: readonly string[], { env, columns = 80 }: TerminalOptions): Terminal {
  const python = spawn('python3', ['-c', PYTHON, `${columns} 24`, process.execPath, BIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  const { stdin, stdout } = python;
  const sizes = python.stdio[3];
  if (stdin === null || stdout === null) throw new Error('The terminal has no pipes.');
  // A test that fails leaves its terminal open, and nobody would end without it.
  onTestFinished(() => void python.kill());
  let written = '';
  let screen = '';
  let looked = 0;
  const wakers = new Set<() => void>();
  let hasEnded = false;
  stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
    screen = settledText(written);
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
    get written() {
      return written;
    },
    resize: (columns, rows) => {
      if (sizes instanceof Writable) sizes.write(`${columns} ${rows}\n`);
    },
    type: (line) => void stdin.write(`${line}\r`),
    press: (keys) => void stdin.write(keys),
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

// oxlint-disable-next-line no-control-regex -- it is about control characters
const ERASING = /(?:\u001b\[(\d+)A)?\r\u001b\[[JK]/g;

/** Without lines that were erased to be drawn anew, as a status is, and without sequences. */
function settledText(written: string): string {
  let text = '';
  let from = 0;
  for (const erasing of written.matchAll(ERASING)) {
    const lines = (text + written.slice(from, erasing.index)).split('\n');
    lines.length -= Math.min(Number(erasing[1] ?? 0), lines.length - 1);
    lines[lines.length - 1] = '';
    text = lines.join('\n');
    from = erasing.index + erasing[0].length;
  }
  return stripVTControlCharacters(text + written.slice(from)).replaceAll('\r', '');
}
