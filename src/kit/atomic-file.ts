// Files that are there whole or not at all, whoever reads them and whenever the power goes.
import { constants, copyFile, type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomHex } from './ids.ts';
import { PRIVATE_FILE } from './private-files.ts';

/** How a finished file gets its name: over whatever has it, or only when nothing has. */
export type Placing = 'replace' | 'create';

/**
 * Writes a file beside its place, waits for the disk and gives it its name in one step. A link at that place is
 * replaced, not followed.
 * @throws Error EEXIST when placing is `create` and the name is taken; what `write` and the file system throw
 */
export async function writeAtomically(
  path: string,
  placing: Placing,
  write: (file: FileHandle) => Promise<unknown>,
): Promise<void> {
  const files = new AtomicFiles(placing);
  try {
    await files.write(path, write);
    await files.place();
  } finally {
    await files.discard();
  }
}

interface Unfinished {
  readonly path: string;
  readonly file: FileHandle;
  readonly unfinished: string;
}

/** Several files, as `writeAtomically` writes one. They wait for the disk together, which takes little longer than one alone. */
export class AtomicFiles {
  readonly #placing: Placing;
  #waiting: Unfinished[] = [];

  constructor(placing: Placing) {
    this.#placing = placing;
  }

  /** How many have no name yet; each is open. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Beside its place. @throws what `write` and the file system throw */
  async write(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
    const unfinished = unfinishedName(path);
    // Exclusive: never through a link that somebody has put there.
    const file = await open(unfinished, 'wx', PRIVATE_FILE);
    this.#waiting.push({ path, file, unfinished });
    if (this.#placing === 'replace') await keepRights(file, path);
    await write(file);
  }

  /** Gives all that were written their names, once all are on the disk. @throws what the file system throws */
  async place(): Promise<void> {
    await Promise.all(this.#waiting.map(({ file }) => file.sync()));
    const folders = new Set<string>();
    for (const { path, file, unfinished } of this.#waiting) {
      await file.close();
      await nameFile(unfinished, path, this.#placing);
      folders.add(dirname(path));
    }
    this.#waiting = [];
    for (const folder of folders) await syncFolder(folder);
  }

  /** What has no name yet is gone. */
  async discard(): Promise<void> {
    for (const { file, unfinished } of this.#waiting.splice(0)) {
      await file.close();
      await removeUnfinished(unfinished);
    }
  }
}

/** Of what is replaced: somebody may have opened it to others. */
async function keepRights(file: FileHandle, path: string): Promise<void> {
  const former = await lstat(path).catch(() => null);
  if (former?.isFile()) await file.chmod(former.mode & 0o777);
}

/** A name in the same folder for what is not finished: hidden, and short whatever the length of the other. */
export function unfinishedName(path: string): string {
  return join(dirname(path), `.mochi-${randomHex(12)}.tmp`);
}

/** What was placed is no longer there. */
export async function removeUnfinished(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Gives a finished file its name, so that it survives a power cut. @throws Error EEXIST, see `Placing` */
export async function placeFile(finished: string, path: string, placing: Placing): Promise<void> {
  await nameFile(finished, path, placing);
  await syncFolder(dirname(path));
}

async function nameFile(finished: string, path: string, placing: Placing): Promise<void> {
  if (placing === 'create') {
    // Unlike a rename, a second name never replaces anything.
    await link(finished, path).catch((error: NodeJS.ErrnoException) => copyInstead(error, finished, path));
    await rm(finished);
  } else {
    await rename(finished, path);
  }
}

/** Where the file system knows no second names, such as exFAT: as exclusive, but not in one step. */
async function copyInstead(error: NodeJS.ErrnoException, finished: string, path: string): Promise<void> {
  if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) throw error;
  await copyFile(finished, path, constants.COPYFILE_EXCL);
}

/** Names are stored in the folder: they last only once that is on the disk, too. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders, and stores names by itself.
  if (process.platform === 'win32') return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
