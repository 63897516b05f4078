// A helper program (npm, python3) to its end, with its last words.
import { spawn } from 'node:child_process';
import { cutTextFront } from '../../kit/whole-characters.ts';
import { foreignReason } from '../foreign-reason.ts';

export interface CommandEnd {
  /** null: it could not be started, or a signal ended it. */
  readonly status: number | null;
  /** Why the network failed it, else the last lines that it wrote; or why it could not be started. */
  readonly lastWords: string;
}

const KEPT = 2000;

/** Never throws; the signal ends the program. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    let output = '';
    const isScript = process.platform === 'win32' && file === 'npm';
    const child = spawn(isScript ? 'npm.cmd' : file, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm is a batch file there. No argument comes from outside.
      shell: isScript,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-KEPT);
      });
    }
    child.once('error', (error) => {
      const isMissing = 'code' in error && error.code === 'ENOENT';
      resolve({ status: null, lastWords: isMissing ? `${file} is not installed` : error.message });
    });
    child.once('close', (status) => resolve({ status, lastWords: lastWordsOf(output) }));
  });
}

/** The network's part of it stands somewhere before advice that does not fit here. */
function lastWordsOf(output: string): string {
  const reason = foreignReason(output);
  return reason === null ? lastLines(output) : `its registry could not be reached: ${reason}`;
}

function lastLines(output: string): string {
  const lines = output.trim().split('\n').slice(-3).join(' ').replace(/\s+/g, ' ');
  // They end up in answers: neither credentials nor where things lie on this machine.
  const shown = lines.replace(/\/\/[^/\s]+@/g, '//').replace(/(?<![\w:/])(\/[\w.@~-]+){2,}/g, '…');
  return cutTextFront(shown, 300);
}
