// A pull is not its connection: it goes on without one where that was asked for, and a second request joins it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
let letGo: () => void;
beforeEach(async () => {
  server = await startTestServer();
  letGo = server.ollama.holdPulls();
});
afterEach(async () => {
  letGo();
  await server.close();
});

interface Watcher {
  /** Reads until a frame holds this. @returns all that was read so far */
  until(text: string): Promise<string>;
  leave(): void;
}

async function pull(name: string, onDisconnect?: 'cancel' | 'continue'): Promise<Watcher> {
  const controller = new AbortController();
  const response = await fetch(`${server.url}/api/v1/models/pull`, {
    method: 'POST',
    signal: controller.signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, ...(onDisconnect && { on_disconnect: onDisconnect }) }),
  });
  expect(response.status).toBe(200);
  const texts = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let read = '';
  return {
    async until(text) {
      while (!read.includes(text)) {
        const next = await texts?.read();
        if (next === undefined || next.done) throw new Error(`the stream ended after ${read}`);
        read += next.value;
      }
      return read;
    },
    leave: () => controller.abort(),
  };
}

const HALF = '"completed":500,"total":1000';
const pullsAtOllama = () => server.ollama.requestsTo('/api/pull');
const isPull = ({ path }: { path: string }) => path === '/api/pull';
const isInstalled = async (name: string) => (await server.get(`/models/${name}`)).status === 200;

describe('a pull whose connection is gone', () => {
  it('goes on with `continue`, and the model can be used', async () => {
    const watcher = await pull('large', 'continue');
    await watcher.until(HALF);
    watcher.leave();
    // Whoever comes back is told where it is, and sees the end.
    const back = await pull('large', 'continue');
    await back.until(HALF);
    expect([await isInstalled('large'), pullsAtOllama().length]).toEqual([false, 1]);
    letGo();
    await back.until('event: done\ndata: {"name":"large"}');
    expect([await isInstalled('large'), pullsAtOllama().length]).toEqual([true, 1]);
  });

  it('goes on to its end with nobody there', async () => {
    const watcher = await pull('large', 'continue');
    await watcher.until(HALF);
    watcher.leave();
    letGo();
    await expect.poll(() => isInstalled('large')).toBe(true);
    expect(pullsAtOllama().map(({ aborted }) => aborted)).toEqual([false]);
  });

  it.each([undefined, 'cancel' as const])('stops with %s', async (onDisconnect) => {
    const watcher = await pull('large', onDisconnect);
    await watcher.until(HALF);
    watcher.leave();
    await server.ollama.waitForAbort(isPull);
    // The next one begins anew, and not in the ruins of the first.
    letGo();
    await (await pull('large')).until('event: done');
    expect(pullsAtOllama()).toHaveLength(2);
  });
});

describe('several that ask for one name', () => {
  it('share one pull and its failure', async () => {
    const watchers = await Promise.all([pull('missing'), pull('missing'), pull('missing')]);
    const told = await Promise.all(watchers.map((watcher) => watcher.until('event: error')));
    for (const text of told) expect(text).toContain('file does not exist');
  });

  it('share one pull, however they ask', async () => {
    const first = await pull('large');
    await first.until(HALF);
    const joined = await Promise.all([pull('large'), pull('large', 'continue')]);
    for (const watcher of joined) await watcher.until(HALF);
    letGo();
    for (const watcher of [first, ...joined]) await watcher.until('event: done');
    expect(pullsAtOllama()).toHaveLength(1);
  });

  it('do not share the pulls of other names', async () => {
    for (const name of ['large', 'larger']) await (await pull(name)).until(HALF);
    expect(pullsAtOllama()).toHaveLength(2);
  });

  it('each can leave: the one that stays keeps it', async () => {
    const leaves = await pull('large', 'cancel');
    const stays = await pull('large', 'cancel');
    await stays.until(HALF);
    leaves.leave();
    letGo();
    await stays.until('event: done');
    expect(pullsAtOllama().map(({ aborted }) => aborted)).toEqual([false]);
  });

  it('the newest request decides: with `cancel` it ends what was to go on', async () => {
    const [page, stopper] = [await pull('large', 'continue'), await pull('large', 'cancel')];
    await stopper.until(HALF);
    // In whichever order the server notices.
    stopper.leave();
    page.leave();
    await server.ollama.waitForAbort(isPull);
  });

  it('the newest request decides: with `continue` it keeps what was to stop', async () => {
    const [first, keeper] = [await pull('large', 'cancel'), await pull('large', 'continue')];
    await keeper.until(HALF);
    keeper.leave();
    first.leave();
    letGo();
    await expect.poll(() => isInstalled('large')).toBe(true);
    expect(pullsAtOllama().map(({ aborted }) => aborted)).toEqual([false]);
  });
});

it('a server that stops does not wait for a pull', async () => {
  const watcher = await pull('large', 'continue');
  await watcher.until(HALF);
  const toldTheEnd = watcher.until('The server is stopping');
  await server.restart();
  await toldTheEnd;
  await server.ollama.waitForAbort(isPull);
});

it.each(['stay', '', null, true])('refuses on_disconnect %j', async (onDisconnect) => {
  const answer = await server.post('/models/pull', { name: 'large', on_disconnect: onDisconnect });
  const { errors } = expectError(answer, 422, 'validation_error') as { errors: { path: string }[] };
  expect(errors.map(({ path }) => path)).toContain('/on_disconnect');
});
