// The package of the client: one file an entry, nothing to install, small.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleClient, CLIENT_ENTRIES } from '../../scripts/bundle-client.ts';

const root = new URL('../../', import.meta.url);
const read = async (path: string) => JSON.parse(await readFile(new URL(path, root), 'utf8'));

let folder: string;
let chunks: Awaited<ReturnType<typeof bundleClient>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mochi-client-'));
  chunks = await bundleClient({ folder, isMinified: true });
});
afterAll(() => rm(folder, { recursive: true }));

/** What whoever imports this entry loads, compressed, in bytes. */
function sizeOf(fileName: string): number {
  const chunk = chunks.find((one) => one.fileName === fileName);
  if (chunk === undefined) throw new Error(`There is no ${fileName}.`);
  const shared = chunk.imports.map(sizeOf).reduce((sum, size) => sum + size, 0);
  return shared + gzipSync(chunk.code, { level: 9 }).length;
}

/** What whoever has the client loads besides. */
function ownSizeOf(fileName: string): number {
  const own = chunks.find((one) => one.fileName === fileName);
  return own === undefined ? Number.POSITIVE_INFINITY : gzipSync(own.code, { level: 9 }).length;
}

describe('@mochi-server/client', () => {
  it('has the version of the server, and nothing that would be installed', async () => {
    const client = await read('packages/client/package.json');
    expect(client.version).toBe((await read('package.json')).version);
    expect(Object.keys(client)).not.toContain('dependencies');
    const entries = Object.keys(client.exports).filter((name) => name !== './package.json');
    expect(entries).toEqual(
      Object.keys(CLIENT_ENTRIES).map((name) => (name === 'index' ? '.' : `./${name}`)),
    );
  });

  it('imports nothing but its own files', () => {
    const own = chunks.map(({ fileName }) => fileName);
    expect(own).toContain('index.js');
    for (const { imports, dynamicImports } of chunks) {
      expect([...imports, ...dynamicImports].filter((name) => !own.includes(name))).toEqual([]);
    }
  });

  it('is small', () => {
    expect(sizeOf('index.js')).toBeLessThan(11_000);
    expect(ownSizeOf('store.js')).toBeLessThan(4000);
  });

  it('runs as it is bundled', async () => {
    const { createMochi } = await import(pathToFileURL(join(folder, 'index.js')).href);
    const mochi = createMochi({ fetch: async () => Response.json({ status: 'ok' }) });
    expect(await mochi.health()).toEqual({ status: 'ok' });
  });
});
