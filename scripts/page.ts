// Builds the page into dist/web. `--if-stale`: only where its sources have changed since, and never in the way of a start.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist/web');
/** What the page that is there was made of. */
const mark = join(target, '.built');

/** Of files that are worth compressing. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.md': 'text/markdown; charset=utf-8',
};

const hash = await hashSources();
const isStale = !existsSync(mark) || (await readFile(mark, 'utf8')) !== hash;
if (isStale || !process.argv.includes('--if-stale')) await build();

async function build(): Promise<void> {
  const vite = await import('vite').catch(() => null);
  if (vite === null) {
    // Installed without what builds it: the server explains that at its own address.
    console.error('The page is not built: vite is not installed (npm ci brings it).');
    return;
  }
  // Beside its place until it is whole: a server that starts meanwhile sees the old one or the new one.
  await mkdir(join(root, 'dist'), { recursive: true });
  const outDir = await mkdtemp(join(root, 'dist/.web-'));
  await vite.build({ configFile: join(root, 'web/vite.config.ts'), build: { outDir } });
  await describe(outDir);
  await writeFile(join(outDir, '.built'), hash);
  await rm(target, { recursive: true, force: true });
  await rename(outDir, target);
}

/** Beside each file what is sent of it, so that the server compresses nothing. */
async function describe(folder: string): Promise<void> {
  const files = [];
  for (const path of await listFiles(folder)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const bytes = await readFile(path);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
    await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
    await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
    const etag = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
    files.push({ name: relative(folder, path), type, etag });
  }
  await writeFile(join(folder, 'files.json'), JSON.stringify(files));
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  const folders = ['web', 'src/client', 'src/markdown'].map((folder) => listFiles(join(root, folder)));
  const sources = (await Promise.all(folders)).flat();
  for (const path of [...sources.sort(), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)]) {
    hash.update(relative(root, path)).update('\0');
    hash.update(await readFile(path)).update('\0');
  }
  return hash.digest('hex');
}

async function listFiles(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder, { recursive: true });
  const paths = names.map((name) => join(folder, name));
  const isFile = await Promise.all(paths.map(async (path) => (await stat(path)).isFile()));
  return paths.filter((_, index) => isFile[index]);
}
