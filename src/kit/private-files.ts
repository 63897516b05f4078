// What we make is for the user that runs us: other users of the machine can neither read it nor look into it.
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

/**
 * With the folders above it. What is there already keeps its rights.
 * One at a time: Node's own `recursive` never returns where a system refuses a new folder with ENOENT (/proc).
 * @throws Error of the file system
 */
export function makePrivateFolder(path: string): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.push(folder);
  for (const folder of missing.toReversed()) makeOneFolder(folder);
  // What is there may be no folder.
  if (!statSync(path).isDirectory()) mkdirSync(path);
}

function makeOneFolder(path: string): void {
  try {
    mkdirSync(path, { mode: PRIVATE_FOLDER });
  } catch (error) {
    // Somebody else was quicker.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
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
