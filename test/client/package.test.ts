// The package of the client: one file an entry, nothing to install, small.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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

/** What an application loads that imports these entries, minified and compressed, in bytes; and which files make it so. */
async function sizeOf(...entries: readonly (keyof typeof CLIENT_ENTRIES)[]) {
  const app = join(folder, 'app.ts');
  const imports = entries.map(
    (entry) => `export * from '${fileURLToPath(new URL(CLIENT_ENTRIES[entry], root))}';`,
  );
  await writeFile(app, imports.join('\n'));
  const [chunk] = await bundleClient({ folder: join(folder, 'app'), isMinified: true, entries: { app } });
  const parts = Object.entries(chunk?.modules ?? {}).map(([path, { code }]): [number, string] => [
    gzipSync(code ?? '').length,
    path.slice(path.lastIndexOf('/src/') + 1),
  ]);
  const named = parts.sort(([one], [other]) => other - one).map(([size, path]) => `${size} ${path}`);
  return { bytes: gzipSync(chunk?.code ?? '', { level: 9 }).length, named: named.join('\n') };
}

describe('@mochi-server/client', () => {
  it('has the version of the server, and nothing that would be installed', async () => {
    const client = await read('packages/client/package.json');
    expect(client.version).toBe((await read('package.json')).version);
    const python = await readFile(new URL('clients/python/pyproject.toml', root), 'utf8');
    expect(/^version = "(.*)"$/m.exec(python)?.[1]).toBe(client.version);
    expect(Object.keys(client)).not.toContain('dependencies');
    const entries = Object.keys(client.exports).filter((name) => name !== './package.json');
    expect(entries).toEqual(
      Object.keys(CLIENT_ENTRIES).map((name) => (name === 'index' ? '.' : `./${name}`)),
    );
  });

  it('imports nothing but its own files, and React for the hooks', () => {
    const own = [...chunks.map(({ fileName }) => fileName), 'react'];
    expect(own).toContain('index.js');
    for (const { imports, dynamicImports } of chunks) {
      expect([...imports, ...dynamicImports].filter((name) => !own.includes(name))).toEqual([]);
    }
  });

  // Of the 9.1 kB, that of a client without agents and management was to have 6: streams that outlive their
  // connections take 2.9, the fold of a turn 1.0 and of its agents 0.7, retries and errors 1.3, the resources 1.4.
  it('is small', async () => {
    const all = await sizeOf('index');
    const withStore = await sizeOf('index', 'store');
    expect(all.bytes, all.named).toBeLessThan(9500);
    const withHooks = await sizeOf('index', 'store', 'react');
    expect(withStore.bytes - all.bytes, withStore.named).toBeLessThan(4000);
    expect(withHooks.bytes - withStore.bytes, withHooks.named).toBeLessThan(1100);
  });

  it('runs as it is bundled', async () => {
    const { createMochi } = await import(pathToFileURL(join(folder, 'index.js')).href);
    const mochi = createMochi({ fetch: async () => Response.json({ status: 'ok' }) });
    expect(await mochi.health()).toEqual({ status: 'ok' });
  });
});
