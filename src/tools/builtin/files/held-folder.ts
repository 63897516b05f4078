// A folder that is held open: names are looked up in it, wherever it is moved meanwhile and whatever takes its place.
// Looking at a path first and opening it later would leave time to put a link there.
import { constants, existsSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_FOLDER } from '../../../kit/private-files.ts';
import type { Place } from './files-folder.ts';

export interface HeldFolder {
  /** A path of this name in the folder. */
  at(name: string): string;
  close(): Promise<void>;
}

/** Linux shows open files as paths. Elsewhere a path is looked at and then opened, as close together as can be. */
const OPEN_FILES = '/proc/self/fd';
const CAN_HOLD = process.platform === 'linux' && existsSync(OPEN_FILES);

/** Follows no link. @param options.create what is missing of it. @throws Error of the file system */
export async function holdFolder(
  { root, names }: Pick<Place, 'root' | 'names'>,
  { create = false }: { readonly create?: boolean } = {},
): Promise<HeldFolder> {
  let folder = await hold(root);
  for (const name of names) {
    try {
      const path = folder.at(name);
      if (create) await makeFolder(path);
      const next = await hold(path);
      await folder.close();
      folder = next;
    } catch (error) {
      await folder.close();
      throw error;
    }
  }
  return folder;
}

/** Follows no link and waits for nobody, such as the other end of a pipe. @throws Error of the file system */
export async function openFile(path: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Windows has not all of them: what is missing counts for nothing.
  return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

async function hold(path: string): Promise<HeldFolder> {
  if (!CAN_HOLD) {
    if (!(await lstat(path)).isDirectory()) throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
    return { at: (name) => join(path, name), close: async () => undefined };
  }
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return { at: (name) => `${OPEN_FILES}/${handle.fd}/${name}`, close: () => handle.close() };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
