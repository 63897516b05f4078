// The folder of system prompt files. A name that a client sent is only compared with those in the folder: what is
// opened is an entry that is there, and only when its real path lies inside.
import { constants } from 'node:fs';
import { open, readdir, realpath, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { MochiError } from '../contract/errors.ts';
import { syncFolder, writeAtomically } from '../kit/atomic-file.ts';
import { decodeText } from '../kit/decode-text.ts';
import { oneAtATime } from '../kit/one-at-a-time.ts';
import { makePrivateFolder } from '../kit/private-files.ts';
import type { PromptFiles } from './prompt-files.ts';
import { isPromptName } from './prompt-name.ts';

/** Far beyond what a prompt may hold; a larger file is no prompt and is never read into memory. */
const MAX_FILE_BYTES = 1024 * 1024;

export function promptsInFolder(folder: string): PromptFiles {
  const files: PromptFiles = {
    list: () => listEntries(folder),
    read: (entry) => readEntry(folder, entry),
    change: (action) => oneAtATime(folder, () => action(files)),
    create: (entry, content) =>
      saving(async () => {
        makePrivateFolder(folder);
        return createFile(join(folder, entry), content);
      }),
    replace: (entry, content) =>
      saving(() => writeAtomically(join(folder, entry), 'replace', (file) => file.writeFile(content))),
    remove: (entry) =>
      saving(async () => {
        await rm(join(folder, entry), { force: true });
        await syncFolder(folder);
      }),
  };
  return files;
}

async function createFile(path: string, content: string): Promise<boolean> {
  try {
    await writeAtomically(path, 'create', (file) => file.writeFile(content));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** A folder that is not there is empty. @throws MochiError session_load_error */
async function listEntries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new MochiError('session_load_error', 'The folder of system prompts cannot be read.', {
      reason: String(error.code).toLowerCase(),
    });
  });
  return names.filter(isPromptName).sort();
}

/**
 * Null for what is no prompt: a link that leads outside, a folder, what may not be read,
 * is too large or is neither UTF-8 nor marked UTF-16.
 */
async function readEntry(folder: string, entry: string): Promise<string | null> {
  try {
    const [home, path] = await Promise.all([realpath(folder), realpath(join(folder, entry))]);
    if (!path.startsWith(home.endsWith(sep) ? home : home + sep)) return null;
    // Not through a link that took the place of the file since; and without waiting for the writer of a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat().then((found) => (found.isFile() ? found : { size: Infinity }));
      if (size > MAX_FILE_BYTES) return null;
      return decodeText(await file.readFile());
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

async function saving<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof MochiError || !(error instanceof Error && 'code' in error)) throw error;
    throw new MochiError(
      'session_save_error',
      'The system prompt could not be written: the disk is full, or the folder may not be written. Nothing was changed.',
      { reason: String(error.code).toLowerCase() },
    );
  }
}
