// Files that may hold sessions: which there are, and what is in them. Regular files only, read as streams with a
// bound: a pipe, a device or a file without end holds nobody.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeText } from '../kit/decode-text.ts';

/** Why a file cannot be imported; the message is for people. */
export class UnfitFileError extends Error {
  override readonly name = 'UnfitFileError';
}

/** What a path stands for: a file to be read, or why there is none. */
export type FoundFile =
  | { readonly file: string; readonly reason: null }
  | { readonly file: string; readonly reason: string };

/** The path itself, or what its folder holds, in the order of names. Never throws: what cannot be listed is told. */
export async function* findFiles(path: string): AsyncGenerator<FoundFile, void> {
  try {
    if (!(await stat(path)).isDirectory()) {
      yield { file: path, reason: null };
      return;
    }
    const names = (await readdir(path)).sort();
    if (names.length === 0) yield { file: path, reason: 'the folder is empty' };
    for (const name of names) yield await lookAt(join(path, name));
  } catch (error) {
    if (!isFileError(error)) throw error;
    yield { file: path, reason: cannotRead(error) };
  }
}

async function lookAt(file: string): Promise<FoundFile> {
  const isFolder = await stat(file).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (isFolder) return { file, reason: 'it is a folder: name it, too, to import what it holds' };
  if (/\.(json|jsonl|ndjson)$/i.test(file)) return { file, reason: null };
  return { file, reason: 'its name ends in none of .json, .jsonl, .ndjson' };
}

/** Whether a file has one thing a line. */
export function isLines(file: string): boolean {
  return /\.(jsonl|ndjson)$/i.test(file);
}

/** @throws UnfitFileError, errors of the file system */
export async function* readChunks(file: string): AsyncGenerator<Buffer, void> {
  const handle = await openRegular(file);
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false })) yield chunk;
  } finally {
    await handle.close();
  }
}

/** Largest file that is read into one text. 128 MiB. */
const MAX_TEXT_BYTES = 128 * 1024 * 1024;

/** The whole text of a file. @throws UnfitFileError, errors of the file system */
export async function readText(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readChunks(file)) {
    length += chunk.length;
    if (length > MAX_TEXT_BYTES) {
      throw new UnfitFileError('larger than 128 MiB: only .jsonl, which is read line by line, may be');
    }
    chunks.push(chunk);
  }
  const text = decodeText(Buffer.concat(chunks));
  if (text === null) throw new UnfitFileError('neither UTF-8 nor UTF-16 with its mark');
  return text;
}

async function openRegular(file: string): Promise<FileHandle> {
  // Looked at before: merely to open a device may do something.
  if (!(await stat(file)).isFile()) throw new UnfitFileError('no regular file');
  // And without waiting for the writer of a pipe that took its place.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new UnfitFileError('no regular file');
}

export function cannotRead(error: FileError): string {
  return `cannot be read (${error.code})`;
}

type FileError = Error & { readonly code: string };

export function isFileError(error: unknown): error is FileError {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
