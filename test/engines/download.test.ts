// Fetching models: from a hub that is a real HTTP server, interrupted, resumed, verified; and through the API.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PullProgress } from '../../src/contract/engine.ts';
import { openModelsFolder } from '../../src/engines/embedded/models-folder.ts';
import { type PullRequest, pullModel } from '../../src/engines/embedded/pull-model.ts';
import { createWaitingLine } from '../../src/engines/embedded/waiting-line.ts';
import { ggufBytes, SMALL_MODEL } from '../support/write-gguf.ts';

const MODEL = Buffer.concat([ggufBytes(SMALL_MODEL), Buffer.alloc(300_000, 7)]);
const SUM = createHash('sha256').update(MODEL).digest('hex');
const NAME = 'hf.co/some-owner/some.repo/Tiny-Q4.gguf';

let hub: Server;
let url: string;
let folder: string;
/** What the hub does with the next requests. */
let behaviour: { body: Buffer; etag: string; cutAfter: number | null; status: number };
let ranges: (string | undefined)[];

beforeAll(async () => {
  hub = createServer((request, response) => {
    const { body, etag, cutAfter, status } = behaviour;
    if (request.method === 'HEAD') return response.writeHead(status).end();
    ranges.push(request.headers.range);
    if (status !== 200) return response.writeHead(status).end();
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const isPart = from !== undefined && request.headers['if-range'] === etag;
    const sent = isPart ? body.subarray(Number(from)) : body;
    response.writeHead(isPart ? 206 : 200, { 'content-length': sent.length, etag });
    if (cutAfter === null) return response.end(sent);
    response.write(sent.subarray(0, cutAfter));
    // A client that is cut drops what it has not read yet.
    return void expect
      .poll(
        () =>
          stat(join(folder, 'Tiny-Q4.gguf.partial')).then(
            ({ size }) => size,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0)
      .finally(() => response.destroy());
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
});
afterAll(() => hub.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mochi-pull-'));
  behaviour = { body: MODEL, etag: '"one"', cutAfter: null, status: 200 };
  ranges = [];
  return () => rm(folder, { recursive: true });
});

function pull(request: Partial<PullRequest> = {}): Promise<PullProgress[]> {
  const puller = { folder: openModelsFolder(folder), hub: url, line: createWaitingLine() };
  const whole = { name: NAME, allowsUrl: false, sha256: null, signal: new AbortController().signal };
  return Array.fromAsync(pullModel(puller, { ...whole, ...request }));
}

const code = (run: Promise<unknown>) => run.then(String, (error: unknown) => Object(error).code);

describe('a model from the hub', () => {
  it('appears whole, under its own name, with its progress told', async () => {
    const told = await pull();
    expect(told.at(-1)).toEqual({ status: 'Tiny-Q4 is ready', completed: null, total: null });
    expect(told.at(-2)).toMatchObject({ completed: MODEL.length, total: MODEL.length });
    expect(await readdir(folder)).toEqual(['Tiny-Q4.gguf']);
    expect(await readFile(join(folder, 'Tiny-Q4.gguf'))).toEqual(MODEL);
    // What is there is not fetched again.
    await pull();
    expect(ranges).toHaveLength(1);
  });

  it('goes on where the connection was cut', async () => {
    behaviour.cutAfter = 100_000;
    expect(await code(pull())).toBe('model_pull_failed');
    expect((await readdir(folder)).toSorted()).toEqual(['Tiny-Q4.gguf.partial', 'Tiny-Q4.gguf.partial.json']);
    behaviour.cutAfter = null;
    await pull({ sha256: SUM });
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(await readFile(join(folder, 'Tiny-Q4.gguf'))).toEqual(MODEL);
    expect(await readdir(folder)).toEqual(['Tiny-Q4.gguf']);
  });

  it('begins anew when the file has changed meanwhile', async () => {
    behaviour.cutAfter = 100_000;
    await code(pull());
    const other = Buffer.concat([MODEL, Buffer.from('changed')]);
    behaviour = { body: other, etag: '"two"', cutAfter: null, status: 200 };
    await pull();
    expect(await readFile(join(folder, 'Tiny-Q4.gguf'))).toEqual(other);
  });

  it('is nothing when its checksum is wrong, or when it is no model', async () => {
    expect(await code(pull({ sha256: '0'.repeat(64) }))).toBe('model_pull_failed');
    behaviour.body = Buffer.from('<html>Sign in</html>');
    const failure = await pull().catch((error: unknown) => error);
    expect(String(failure)).toMatch(/not the model: the file is not a gguf model/);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    // A port that nobody uses and fetch does not forbid.
    ['http://127.0.0.1:49151', /127\.0\.0\.1:49151: the connection was refused\./],
    [
      'http://no-such-hub.invalid',
      /no-such-hub\.invalid: the host name (is unknown|could not be looked up)\./,
    ],
  ])('is told in plain words when the hub cannot be reached: %s', async (hub, says) => {
    const puller = { folder: openModelsFolder(folder), hub, line: createWaitingLine() };
    const { signal } = new AbortController();
    const pulled = Array.fromAsync(pullModel(puller, { name: NAME, allowsUrl: false, sha256: null, signal }));
    const error: unknown = await pulled.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'model_pull_failed', message: expect.stringMatching(says) });
    expect(String(error)).not.toMatch(/getaddrinfo|ECONN|ENOTFOUND|fetch failed/);
  });

  it('is told when the hub does not have it', async () => {
    behaviour.status = 404;
    expect(String(await pull().catch((error: unknown) => error))).toMatch(/127\.0\.0\.1:\d+: status 404/);
  });

  it('stops when nobody wants it any more, and lets the next one in', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(pull({ signal: stop.signal })).rejects.toThrow('enough');
    await pull();
  });
});

describe('a name', () => {
  it.each([
    'unknown',
    '../../etc/passwd',
    'hf.co/owner/repo/../../../x.gguf',
    'hf.co/owner/repo/readme.md',
    'hf.co/owner/repo/..gguf',
    'http://127.0.0.1:1/x.gguf',
    'file:///etc/passwd.gguf',
    '',
  ])('%j is refused, and nobody is asked', async (name) => {
    expect(await code(pull({ name }))).toBe('model_not_found');
    expect([ranges, await readdir(folder)]).toEqual([[], []]);
  });

  it('may be an address for who may give one', async () => {
    await pull({ name: `${url}/some/where/File.gguf?download=1`, allowsUrl: true, sha256: SUM });
    expect(await readdir(folder)).toEqual(['File.gguf']);
    for (const name of ['file:///etc/passwd.gguf', `${url}/%2e%2e%2fx.gguf`]) {
      expect(await code(pull({ name, allowsUrl: true }))).toBe('model_not_found');
    }
  });
});
