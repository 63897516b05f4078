// The folder of system prompt files. A name that a client sent is only compared with those in the folder: what is
// opened is an entry that is there, and only when its real path lies inside.
import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { decodeText } from '../kit/decode-text.ts';
import { isPromptName } from './prompt-name.ts';

/** Far beyond what a prompt may hold; a larger file is no prompt and is never read into memory. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Entries whose names can be those of prompts, sorted. A folder that is not there is empty. @throws Error of the file system */
export async function listEntries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter(isPromptName).sort();
}

/** The entry of that name: in these very characters, else in another Unicode form of them. */
export function findEntry(entries: readonly string[], name: string): string | null {
  if (entries.includes(name)) return name;
  const composed = name.normalize('NFC');
  return entries.find((entry) => entry.normalize('NFC') === composed) ?? null;
}

/**
 * The text of an entry; null for what is no prompt: a link that leads outside, a folder, what may not be read,
 * is too large or is neither UTF-8 nor marked UTF-16.
 */
export async function readEntry(folder: string, entry: string): Promise<string | null> {
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
