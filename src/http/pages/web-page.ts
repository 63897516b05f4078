// The page at `/` and its files, as the build left them: read once, with the first request for one of them.
import { readFile } from 'node:fs/promises';

/** Where the build puts it: from the sources and from the package alike. */
const FOLDER = new URL('../../../dist/web/', import.meta.url);

interface ListedFile {
  /** From the folder of the page, such as `assets/index-4f2a.js`. */
  readonly name: string;
  readonly type: string;
  readonly etag: string;
}

interface PageFile extends ListedFile {
  readonly plain: Buffer;
  readonly br: Buffer;
  readonly gzip: Buffer;
}

export interface WebPage {
  /** Null: no such file. The name is only ever compared. */
  file(name: string): PageFile | null;
}

let reading: Promise<WebPage | null> | null = null;

/** Null where it was not built; it is looked for anew then. */
export async function readWebPage(): Promise<WebPage | null> {
  reading ??= readAll();
  const page = await reading;
  if (page === null) reading = null;
  return page;
}

async function readAll(): Promise<WebPage | null> {
  try {
    const listed: readonly ListedFile[] = JSON.parse(await readFile(new URL('files.json', FOLDER), 'utf8'));
    const files = await Promise.all(listed.map(readOne));
    const byName = new Map(files.map((file) => [file.name, file]));
    return byName.has('index.html') ? { file: (name) => byName.get(name) ?? null } : null;
  } catch {
    return null;
  }
}

async function readOne(file: ListedFile): Promise<PageFile> {
  const [plain, br, gzip] = await Promise.all(
    ['', '.br', '.gz'].map((suffix) => readFile(new URL(file.name + suffix, FOLDER))),
  );
  if (plain === undefined || br === undefined || gzip === undefined)
    throw new Error('The page is not whole.');
  return { ...file, plain, br, gzip };
}

/** What of it is sent: as small as the browser can read it. */
export function encodedFor(
  file: PageFile,
  accepted: string | undefined,
): { readonly bytes: Buffer; readonly encoding: string | null } {
  const takes = (name: string) =>
    (accepted ?? '').split(',').some((part) => {
      const [known, weight = ''] = part.split(';').map((word) => word.trim());
      return known === name && !/^q=0(?:\.0*)?$/.test(weight);
    });
  if (takes('br')) return { bytes: file.br, encoding: 'br' };
  return takes('gzip') ? { bytes: file.gzip, encoding: 'gzip' } : { bytes: file.plain, encoding: null };
}
