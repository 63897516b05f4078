// One large file over HTTP: goes on where it stopped, is verified, and appears whole or not at all.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { MochiError } from '../../contract/errors.ts';
import { PRIVATE_FILE } from '../../kit/private-files.ts';
import { downloadReason } from './download-reason.ts';
import { GgufError, readGgufMetadata } from './gguf.ts';

export interface Download {
  readonly url: string;
  readonly path: string;
  /** What the file must hash to; null where nobody said so. */
  readonly sha256: string | null;
  readonly signal: AbortSignal;
}

export interface DownloadProgress {
  readonly completed: number;
  /** null: the other side does not say. */
  readonly total: number | null;
}

/** Longest wait for an answer, and for the next bytes of one. Milliseconds. */
const ANSWER_MS = 10_000;
const SILENCE_MS = 60_000;

/** A file that is being fetched. It stays when the connection fails, and the next try goes on with it. */
export function partialPath(path: string): string {
  return `${path}.partial`;
}

/** @throws MochiError model_pull_failed, the signal's reason */
export async function* download(request: Download): AsyncGenerator<DownloadProgress, void> {
  const { url, path, signal } = request;
  const partial = partialPath(path);
  const limit = createLimit(signal);
  try {
    const { response, start } = await ask(request, limit);
    if (response.body === null) throw new Error('the answer is empty');
    const length = Number(response.headers.get('content-length'));
    const total = length > 0 ? start + length : null;
    // What this part belongs to, for the next try.
    const note = JSON.stringify({ url, etag: response.headers.get('etag') });
    await writeFile(`${partial}.json`, note, { mode: PRIVATE_FILE });
    const file = await open(partial, start > 0 ? 'a' : 'w', PRIVATE_FILE);
    let completed = start;
    try {
      yield { completed, total };
      for await (const bytes of response.body) {
        limit.extend(SILENCE_MS);
        await file.writeFile(bytes);
        completed += bytes.length;
        yield { completed, total };
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (total !== null && completed !== total) throw new Error('the connection was cut');
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MochiError) throw error;
    throw failure(`${new URL(url).host}: ${limit.hasExpired ? 'no answer in time' : downloadReason(error)}.`);
  } finally {
    limit.stop();
  }
  await settle(partial, request);
}

/** Verifies a file and moves it to its place. @throws MochiError model_pull_failed */
export async function settle(
  partial: string,
  { path, sha256 }: Pick<Download, 'path' | 'sha256'>,
): Promise<void> {
  const found = await hashFile(partial);
  const fault = sha256 !== null && found !== sha256 ? 'its checksum is wrong' : await ggufFault(partial);
  if (fault !== null) {
    await rm(partial, { force: true });
    await rm(`${partial}.json`, { force: true });
    throw failure(`What was fetched is not the model: ${fault}.`);
  }
  await rename(partial, path);
  await rm(`${partial}.json`, { force: true });
}

async function ggufFault(path: string): Promise<string | null> {
  try {
    await readGgufMetadata(path);
    return null;
  } catch (error) {
    if (error instanceof GgufError) return error.message.toLowerCase().replace(/\.$/, '');
    throw error;
  }
}

async function ask(
  { url, path }: Download,
  limit: Limit,
): Promise<{ readonly response: Response; readonly start: number }> {
  const { size, etag } = await readPart(path, url);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  // If the file has changed meanwhile, the whole of it comes.
  if (size > 0 && etag !== null) Object.assign(headers, { range: `bytes=${size}-`, 'if-range': etag });
  const response = await fetch(url, { headers, signal: limit.signal });
  limit.extend(SILENCE_MS);
  if (response.status === 206) return { response, start: size };
  if (response.status === 416) {
    await rm(partialPath(path), { force: true });
    throw failure(`${new URL(url).host} has another file now. Try again.`);
  }
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return { response, start: 0 };
}

/** Bytes of a file that are there already; 0 where nothing is. */
export async function partialSize(path: string): Promise<number> {
  return stat(partialPath(path)).then(
    ({ size }) => size,
    () => 0,
  );
}

async function readPart(path: string, url: string): Promise<{ size: number; etag: string | null }> {
  const partial = partialPath(path);
  try {
    const { size } = await stat(partial);
    const note: unknown = JSON.parse(await readFile(`${partial}.json`, 'utf8'));
    const { url: from, etag } = Object(note);
    // A weak one does not promise equal bytes.
    const isSure = from === url && typeof etag === 'string' && !etag.startsWith('W/');
    return isSure ? { size, etag } : { size: 0, etag: null };
  } catch {
    return { size: 0, etag: null };
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(bytes);
  return hash.digest('hex');
}

interface Limit {
  readonly signal: AbortSignal;
  readonly hasExpired: boolean;
  extend(milliseconds: number): void;
  stop(): void;
}

function createLimit(signal: AbortSignal): Limit {
  const expiry = new AbortController();
  let timer = setTimeout(() => expiry.abort(), ANSWER_MS);
  return {
    signal: AbortSignal.any([signal, expiry.signal]),
    get hasExpired() {
      return expiry.signal.aborted;
    },
    extend(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(() => expiry.abort(), milliseconds);
    },
    stop() {
      clearTimeout(timer);
      // What was not read of an answer is not waited for.
      expiry.abort();
    },
  };
}

function failure(reason: string): MochiError {
  return new MochiError('model_pull_failed', `The model could not be fetched. ${reason}`);
}
