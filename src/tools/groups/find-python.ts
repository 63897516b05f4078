// Which Python there is, for people who look for it.
import { spawnSync } from 'node:child_process';

const PATIENCE_MS = 10_000;

/** @returns such as "Python 3.12.1"; null where the command is none */
export function findPython(command: string): string | null {
  const { status, stdout, stderr } = spawnSync(command, ['--version'], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return status === 0 ? (stdout || stderr).trim() : null;
}
