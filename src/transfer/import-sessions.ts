// Importing session files: the original's JSON, and JSONL. The files are read and left as they are.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ID_PATTERN } from '../contract/schema.ts';
import { splitLines } from '../kit/split-lines.ts';
import type { ImportDeps, StoredImport } from './import-deps.ts';
import { storeRows } from './jsonl/import.ts';
import { readJsonl } from './jsonl/read.ts';
import { OriginalFormatError, parseOriginalSession } from './original/format.ts';
import { storeOriginal } from './original/import.ts';

/** What became of one session of a file, or of a file that holds none. */
export type ImportOutcome = { readonly file: string } & (
  | StoredImport
  | { readonly type: 'unreadable'; readonly reason: string }
);

/**
 * Imports files, and the `*.json` and `*.jsonl` of folders, in the order of their names: an outcome for each session.
 * One that was imported before is recognised by its content and not doubled.
 */
export async function* importSessions(
  deps: ImportDeps,
  paths: readonly string[],
): AsyncGenerator<ImportOutcome, void> {
  for (const path of paths) {
    for (const file of await listFiles(path)) {
      yield* importFile(deps, file);
      // The driver is synchronous: let whatever else waits have its turn.
      await setImmediate();
    }
  }
}

async function listFiles(path: string): Promise<string[]> {
  const isFolder = await lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => /\.jsonl?$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

async function* importFile(deps: ImportDeps, file: string): AsyncGenerator<ImportOutcome, void> {
  try {
    if (file.endsWith('.jsonl')) yield* importLines(deps, file);
    else yield { file, ...(await importOriginal(deps, file)) };
  } catch (error) {
    if (error instanceof OriginalFormatError) yield { file, type: 'unreadable', reason: error.message };
    else if (isFileError(error)) yield { file, type: 'unreadable', reason: `cannot be read (${error.code})` };
    else throw error;
  }
}

async function importOriginal(deps: ImportDeps, file: string): Promise<StoredImport> {
  const text = await readFile(file, 'utf8');
  return storeOriginal(deps, parseOriginalSession(text, idFromName(basename(file, extname(file)))));
}

/** Line by line: one session in memory at a time. */
async function* importLines(deps: ImportDeps, file: string): AsyncGenerator<ImportOutcome, void> {
  let isEmpty = true;
  for await (const read of readJsonl(splitLines(createReadStream(file)))) {
    isEmpty = false;
    if (read.type === 'session') yield { file, ...(await storeRows(deps, read.rows)) };
    else yield { file, type: 'unreadable', reason: read.reason };
  }
  if (isEmpty) yield { file, type: 'unreadable', reason: 'the file is empty' };
}

/** A file's name is its session's id, where it can be one; else an id made of it, the same each time. */
function idFromName(name: string): string {
  return ID_PATTERN.test(name) ? name : createHash('sha256').update(name).digest('hex').slice(0, 10);
}

function isFileError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
