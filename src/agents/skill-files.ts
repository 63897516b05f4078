// The texts that an agent may read besides its SKILL.md: references, assets, and whatever else lies in its folder.
import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { cutText } from '../kit/whole-characters.ts';

const MAX_FILES = 500;
const MAX_DEPTH = 6;
/** Where tools lie beside SKILL.md: what is no text of the skill. */
const TOOL_FILE =
  /\.(py|pyc|[cm]?[jt]s)$|^(group|package|package-lock|tsconfig)\.json$|^(requirements\.txt|pyproject\.toml)$/;

/** Of a read, in bytes. */
const MAX_READ_BYTES = 64 * 1024;

/** Where an agent has tools: their code is no text of the skill. */
export interface ToolPlaces {
  /** In `tools/`. */
  readonly inner: boolean;
  /** Beside SKILL.md. */
  readonly outer: boolean;
}

/** @returns paths with `/`, sorted */
export async function listSkillFiles(folder: string, places: ToolPlaces): Promise<string[]> {
  const files: string[] = [];
  const open = [{ path: '', depth: 1 }];
  for (let at = open.shift(); at !== undefined && files.length < MAX_FILES; at = open.shift()) {
    const entries = await readdir(join(folder, at.path), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = at.path === '' ? entry.name : `${at.path}/${entry.name}`;
      if (isHidden(entry.name) || belongsToTools(path, places)) continue;
      if (entry.isDirectory() && at.depth < MAX_DEPTH) open.push({ path, depth: at.depth + 1 });
      if (entry.isFile() && path !== 'SKILL.md') files.push(path);
    }
  }
  return files.slice(0, MAX_FILES).toSorted();
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules' || name === '__pycache__';
}

function belongsToTools(path: string, { inner, outer }: ToolPlaces): boolean {
  return (inner && path === 'tools') || (outer && TOOL_FILE.test(path));
}

export class SkillFileFault extends Error {}

/**
 * A page of a text.
 * @param page `offset` in bytes; `characters` at most
 * @throws SkillFileFault with words for the model
 */
export async function readSkillFile(
  folder: string,
  path: string,
  page: { readonly offset: number; readonly characters: number },
): Promise<string> {
  const found = await findFile(folder, path);
  if (found === null) throw new SkillFileFault(`There is no file ${JSON.stringify(cutText(path, 200))}`);
  // A pipe that nobody writes to must not hold up anybody.
  const file = await open(found, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new SkillFileFault(`${path} is no file`);
    const { offset } = page;
    if (offset > 0 && offset >= stat.size) throw new SkillFileFault(`${path} has ${stat.size} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_READ_BYTES), 0, MAX_READ_BYTES, offset);
    const bytes = buffer.subarray(0, bytesRead);
    const start = countTail(bytes);
    const text = cutText(decode(bytes.subarray(start), path), page.characters);
    const isCut = text === '' && bytesRead > 0;
    if (isCut || text.includes('\0')) throw new SkillFileFault(`${path} is no text`);
    const end = offset + start + Buffer.byteLength(text);
    if (stat.size === 0) return 'The file is empty.';
    if (end >= stat.size) return withoutMark(text);
    return `${withoutMark(text)}\n\n[Bytes ${offset} to ${end} of ${stat.size}. Go on with offset ${end}.]`;
  } finally {
    await file.close();
  }
}

/** By its real path inside the folder; null: there is none. */
async function findFile(folder: string, path: string): Promise<string | null> {
  try {
    const root = await realpath(folder);
    const real = await realpath(resolve(root, path.replaceAll('\\', '/')));
    const inside = relative(root, real).split(sep);
    // A way out begins with `..`, which is hidden as well.
    return inside[0] === '' || isAbsolute(inside[0] ?? '') || inside.some(isHidden) ? null : real;
  } catch {
    return null;
  }
}

/** Bytes at the beginning that belong to a character before it. */
function countTail(bytes: Buffer): number {
  let count = 0;
  while (count < 3 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count += 1;
  return count;
}

/** What a character at the end lacks is left out. */
function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    throw new SkillFileFault(`${path} is no text`);
  }
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}
