// Importing session files: the original's JSON, and JSONL. The files are read and left as they are.
import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ID_PATTERN } from '../contract/schema.ts';
import type { SessionKind } from '../contract/session.ts';
import { splitLines } from '../kit/split-lines.ts';
import { inStretches } from '../kit/stretches.ts';
import type { ImportDeps, StoredImport } from './import-deps.ts';
import { storeRows } from './jsonl/import.ts';
import { noIdsYet } from './jsonl/link-agents.ts';
import { readJsonl } from './jsonl/read.ts';
import { OriginalFormatError, parseOriginalSession } from './original/format.ts';
import { storeOriginal } from './original/import.ts';
import {
  cannotRead,
  findFiles,
  isFileError,
  isLines,
  readChunks,
  readText,
  UnfitFileError,
} from './session-files.ts';

/**
 * What became of one session of a file, or of a file that holds none. `skipped`: nobody takes it for a session;
 * `unreadable`: somebody does.
 */
export type ImportOutcome = { readonly file: string } & (
  | StoredImport
  | { readonly type: 'unreadable' | 'skipped'; readonly reason: string }
);

/**
 * Imports files, and those of folders, in the order of their names: an outcome for each session, and for each file
 * without any. One that was imported before is recognised by its content and not doubled.
 * @param kind of those that do not say it themselves
 */
export async function* importSessions(
  deps: ImportDeps,
  paths: readonly string[],
  kind: SessionKind = 'chat',
): AsyncGenerator<ImportOutcome, void> {
  for (const path of paths) {
    for await (const { file, reason } of findFiles(path)) {
      if (reason === null) yield* importFile(deps, file, kind);
      else yield { file, type: file === path ? 'unreadable' : 'skipped', reason };
      // The driver is synchronous: let whatever else waits have its turn.
      await setImmediate();
    }
  }
}

async function* importFile(
  deps: ImportDeps,
  file: string,
  kind: SessionKind,
): AsyncGenerator<ImportOutcome, void> {
  try {
    if (isLines(file)) yield* importLines(deps, file);
    else yield { file, ...(await importOriginal(deps, file, kind)) };
  } catch (error) {
    yield { file, type: 'unreadable', reason: reasonOf(error) };
  }
}

/** @throws what is no fault of the file */
function reasonOf(error: unknown): string {
  if (error instanceof OriginalFormatError || error instanceof UnfitFileError) return error.message;
  if (isFileError(error)) return cannotRead(error);
  throw error;
}

async function importOriginal(deps: ImportDeps, file: string, kind: SessionKind): Promise<StoredImport> {
  const fallbackId = idFromName(basename(file, extname(file)));
  const session = await inStretches(parseOriginalSession(await readText(file), fallbackId));
  return storeOriginal(deps, session, kind);
}

/** Line by line: one session in memory at a time. */
async function* importLines(deps: ImportDeps, file: string): AsyncGenerator<ImportOutcome, void> {
  const ids = noIdsYet();
  let isEmpty = true;
  for await (const read of readJsonl(splitLines(readChunks(file)))) {
    isEmpty = false;
    if (read.type === 'session') yield { file, ...(await storeRows(deps, read.rows, ids)) };
    else yield { file, type: 'unreadable', reason: read.reason };
  }
  if (isEmpty) yield { file, type: 'unreadable', reason: 'the file is empty' };
}

/** A file's name is its session's id, where it can be one; else an id made of it, the same each time. */
function idFromName(name: string): string {
  return ID_PATTERN.test(name) ? name : createHash('sha256').update(name).digest('hex').slice(0, 10);
}
