// What we make is for the user that runs us: other users of the machine can neither read it nor look into it.
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';

export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

/** With the folders above it. What is there already keeps its rights. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
}

/** Empty, for programs that would make it readable for all. What is there already is not touched, nor opened. */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', PRIVATE_FILE));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Whether other users of the machine have any right to it; never for what is not there. */
export function isOpenToOthers(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  // Windows has other rights, and shows none of them here.
  return found !== undefined && process.platform !== 'win32' && (found.mode & 0o077) !== 0;
}
