// Files that go along with a message: text in a fence under its name, pictures beside it.
import { readFile, stat } from 'node:fs/promises';
import { decodeText, withoutMark } from '../kit/decode-text.ts';
import { imageTypeOf } from '../kit/image-bytes.ts';

export type Attachment = { readonly name: string } & ({ readonly text: string } | { readonly image: string });

/** A message as it is sent. */
export interface AttachedMessage {
  readonly message: string;
  /** In base64. */
  readonly images: readonly string[];
}

const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_IMAGE_BYTES = 20 * 1024 * 1024;

/** It cannot go along; the message says why. */
export class AttachError extends Error {
  override readonly name = 'AttachError';
}

/** @throws AttachError */
export async function readAttachment(path: string): Promise<Attachment> {
  try {
    const { size } = await stat(path);
    // Not read to find out that it is too large.
    if (size > MAX_IMAGE_BYTES) throw tooLarge(path, size);
    return toAttachment(path, await readFile(path));
  } catch (error) {
    if (error instanceof AttachError) throw error;
    throw new AttachError(`${path} cannot be read: ${reasonOf(error)}.`);
  }
}

/** By what the bytes say that they are. @throws AttachError */
export function toAttachment(name: string, bytes: Buffer): Attachment {
  if (imageTypeOf(bytes) !== null && bytes.length <= MAX_IMAGE_BYTES)
    return { name, image: bytes.toString('base64') };
  if (bytes.length > MAX_TEXT_BYTES) throw tooLarge(name, bytes.length);
  const text = decodeText(bytes);
  if (text === null || text.includes('\0'))
    throw new AttachError(`${name} is neither text nor a picture (PNG, JPEG, GIF, WebP).`);
  return { name, text: withoutMark(text) };
}

/** What `@path` in a message names. Words that name no file are words; those that look like one are told as missing. */
export async function attachNamed(
  message: string,
): Promise<{ readonly attachments: readonly Attachment[]; readonly missing: readonly string[] }> {
  const attachments = new Map<string, Attachment>();
  const missing: string[] = [];
  for (const [, quoted, word = ''] of message.matchAll(/(?<!\S)@(?:"([^"\n]+)"|(\S+))/g)) {
    const path = await findFile(quoted === undefined ? candidatesOf(word) : [quoted]);
    if (path !== null) attachments.set(path, attachments.get(path) ?? (await readAttachment(path)));
    else if (quoted !== undefined || /[./]/.test(word)) missing.push(quoted ?? word);
  }
  return { attachments: [...attachments.values()], missing };
}

/** A sentence may end after the name of a file. */
function candidatesOf(word: string): readonly string[] {
  return [word, word.replace(/[.,;:!?)\]'"]+$/, '')];
}

async function findFile(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) return path;
  }
  return null;
}

/** The message first, then what goes along. */
export function withAttachments(message: string, attachments: readonly Attachment[]): AttachedMessage {
  const texts = attachments.flatMap((one) => ('text' in one ? [fenced(one.name, one.text)] : []));
  const images = attachments.flatMap((one) => ('image' in one ? [one.image] : []));
  return { message: [message, ...texts].filter((part) => part !== '').join('\n\n'), images };
}

/** In a fence that is longer than any in it. */
function fenced(name: string, text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${name}:\n${fence}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`;
}

function tooLarge(name: string, bytes: number): AttachError {
  const size = (bytes / 1024 / 1024).toFixed(1);
  return new AttachError(
    `${name} is too large (${size} MiB): 1 MiB of text or a picture of 20 MiB can go along.`,
  );
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'this user may not';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
