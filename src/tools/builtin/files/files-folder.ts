// The one folder that the tools for files may see, and how a path that a model wrote becomes a place in it.
import { realpathSync } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { BuiltinFault } from '../builtin-tool.ts';
import { fileFault, isMissing } from './file-fault.ts';

export interface FilesOptions {
  /** Absolute; null: none was named. */
  readonly filesDir: string | null;
  /** Absolute. What is in it is the server's, unless the folder for files lies in it. */
  readonly dataDir: string;
  /** Files and folders of the operator: tools, rules, servers. Absolute. */
  readonly ownPaths: readonly string[];
}

/** Whatever the model wrote, what is at it now is inside. */
export interface Place {
  /** Real path of the whole folder. */
  readonly root: string;
  /** Names from there on: none of them was a link when they were looked at. */
  readonly names: readonly string[];
  /** For people and models. */
  readonly shown: string;
  readonly exists: boolean;
}

/** Said to the model of each of the tools. */
export const PATH_SCHEMA = {
  type: 'string',
  maxLength: 1000,
  description: 'From the folder for files on, such as notes/today.txt',
} as const;

/** Why there are no tools for files; null: nothing speaks against it. */
export function filesProblem(options: FilesOptions): string | null {
  const { filesDir } = options;
  if (filesDir === null) {
    return 'It is not available: set MOCHI_FILES_DIR to the folder whose files models may see.';
  }
  const root = realOr(filesDir);
  return isOwn(root, root, options)
    ? 'It is not available: MOCHI_FILES_DIR is a folder of the server itself. Name another one.'
    : null;
}

/** @throws BuiltinFault when it leads outside, whichever way */
export async function findPlace(path: string, options: FilesOptions): Promise<Place> {
  const { filesDir } = options;
  if (filesDir === null) throw new BuiltinFault('There is no folder for files.');
  if (path.includes('\0')) throw new BuiltinFault('A path has no NUL in it.');
  const root = await realpath(filesDir).catch(() => {
    throw new BuiltinFault('The folder for files is not there.');
  });
  const target = resolve(root, path);
  if (!isWithin(root, target)) throw outside(path);
  const { real, exists } = await resolveLinks(target, path);
  if (!isWithin(root, real)) throw outside(path);
  if (isOwn(real, root, options)) throw new BuiltinFault(`'${path}' belongs to the server itself.`);
  const names = relative(root, real)
    .split(sep)
    .filter((name) => name !== '');
  return { root, names, shown: names.join('/') || '.', exists };
}

function outside(path: string): BuiltinFault {
  return new BuiltinFault(
    `'${path}' is outside of the folder for files. Paths are relative to it, such as notes/today.txt; '.' is the folder itself.`,
  );
}

/** As far as it is there; what is missing at its end stays as it is. */
async function resolveLinks(target: string, path: string): Promise<{ real: string; exists: boolean }> {
  const missing: string[] = [];
  for (let at = target; ; at = resolve(at, '..')) {
    try {
      return { real: resolve(await realpath(at), ...missing), exists: missing.length === 0 };
    } catch (error) {
      if (!isMissing(error)) throw fileFault(error, path);
      // A link to nowhere: what is written there would be made wherever it leads.
      if (await isThere(at)) throw new BuiltinFault(`'${path}' is a link that leads nowhere.`);
      missing.unshift(relative(resolve(at, '..'), at));
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** The server's own files are no model's to read or write, even where the folder for files holds them. */
function isOwn(real: string, root: string, { dataDir, ownPaths }: FilesOptions): boolean {
  if (ownPaths.some((own) => isWithin(realOr(own), real))) return true;
  const data = realOr(dataDir);
  const isInData = root !== data && isWithin(data, root);
  return !isInData && isWithin(data, real);
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** What is not there has no links to follow. */
function realOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
