// The README's "Reload and resume", run as it stands there: a page starts a turn, is reloaded, and goes on.
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createContext, runInContext } from 'node:vm';
import { EventSource } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { spoken } from './behave.ts';
import { expectSameText } from './watching.ts';

const COUNT = 60;
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const example = /^## Reload and resume\n[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(script(tokens(COUNT), everyMs(10)));
});
const cleanups: (() => void)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanups) cleanUp();
  await server.close();
});

interface Page {
  ask(api: string, sessionId: string, message: string, key?: string): Promise<void>;
  watch(show: (text: string) => void): void;
  watchWithKey(show: (text: string) => void, key: string): Promise<void>;
}

/** A page of a browser with this storage. Leaving it closes its connections, as a browser does. */
function openPage(storage: Map<string, string>) {
  const sources: EventSource[] = [];
  class PageEventSource extends EventSource {
    constructor(url: string) {
      super(url);
      sources.push(this);
    }
  }
  const localStorage = {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, value: unknown) => storage.set(name, String(value)),
  };
  const context = createContext({ fetch, EventSource: PageEventSource, localStorage });
  const page: Page = runInContext(`${example}\n;({ ask, watch, watchWithKey })`, context);
  const leave = () => {
    for (const source of sources) source.close();
  };
  cleanups.push(leave);
  const shown: string[] = [];
  return {
    shown,
    leave,
    ask: (api: string, sessionId: string, message: string, key?: string) =>
      page.ask(api, sessionId, message, key),
    watch: () => page.watch((text) => shown.push(text)),
    watchWithKey: (key: string) => page.watchWithKey((text) => shown.push(text), key),
    /** Resolves when the example has closed its connection itself. */
    ended: () =>
      eventually(
        () =>
          expect(sources.map(({ readyState }) => readyState)).toEqual(sources.map(() => EventSource.CLOSED)),
        { timeout: 15_000 },
      ),
  };
}

function untilShown(shown: readonly string[], token: string): Promise<void> {
  return eventually(() => expect(shown.at(-1)).toContain(token), { interval: 5 });
}

/** Passes connections on to the server; cuts the first event stream of a GET after so many bytes. */
async function startCuttingProxy(bytes: number): Promise<{ url: string; cuts: () => number }> {
  const sockets = new Set<Socket>();
  const { port } = new URL(server.url);
  let cuts = 0;
  const proxy = createServer((client) => {
    const upstream = connect(Number(port), '127.0.0.1');
    let left = Number.POSITIVE_INFINITY;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // A cut connection is what this is for.
      socket.on('error', () => undefined);
      socket.on('close', () => [client, upstream].forEach((end) => end.destroy()));
    }
    client.on('data', (chunk) => {
      if (cuts === 0 && chunk.toString('latin1').startsWith('GET ')) left = bytes;
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      client.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) return;
      cuts += 1;
      client.destroySoon();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, cuts: () => cuts };
}

describe.concurrent('reload and resume in ten lines of browser code', () => {
  it('is in the README', () => {
    expect(example).toContain('localStorage');
    expect(example).toContain('EventSource');
  });

  it('a page that is reloaded in the middle of an answer shows it whole, once', async () => {
    const sessionId = await server.createSession();
    const storage = new Map<string, string>();
    const before = openPage(storage);
    await before.ask(server.url, sessionId, 'Tell me');
    before.watch();
    await untilShown(before.shown, 't5 ');
    before.leave();

    const after = openPage(storage);
    after.watch();
    await after.ended();
    expect(before.shown.at(-1)).not.toBe(spoken(COUNT));
    expect(after.shown.at(-1)).toBe(spoken(COUNT));
    for (const text of [...before.shown, ...after.shown]) expect(spoken(COUNT).startsWith(text)).toBe(true);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({
      content: spoken(COUNT),
      status: 'complete',
    });
  });

  it('a page that comes back after the end shows the answer, and stops asking', async () => {
    const sessionId = await server.createSession();
    const storage = new Map<string, string>();
    const before = openPage(storage);
    await before.ask(server.url, sessionId, 'Tell me');
    await eventually(async () =>
      expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull(),
    );
    const after = openPage(storage);
    after.watch();
    await after.ended();
    expect(after.shown.at(-1)).toBe(spoken(COUNT));
  });

  it('a network that breaks: the page goes on after the last event by itself', async () => {
    const sessionId = await server.createSession();
    const proxy = await startCuttingProxy(1500);
    const page = openPage(new Map());
    await page.ask(proxy.url, sessionId, 'Tell me');
    page.watch();
    await untilShown(page.shown, 't0 ');
    await page.ended();
    expect(proxy.cuts()).toBe(1);
    expect(page.shown.at(-1)).toBe(spoken(COUNT));
    for (const text of page.shown) expect(spoken(COUNT).startsWith(text)).toBe(true);
  });

  it('a server with keys: the page watches with a token', async () => {
    const key = 'sk-page';
    const locked = await startTestServer({ config: { apiKeys: [key] } });
    locked.ollama.setDefault(script(tokens(COUNT), everyMs(10)));
    const headers = { authorization: `Bearer ${key}` };
    const { session_id: sessionId } = (await locked.post('/sessions', { model: 'llama3.2' }, headers)).body;
    const storage = new Map<string, string>();
    const before = openPage(storage);
    await before.ask(locked.url, sessionId, 'Tell me', key);
    await before.watchWithKey(key);
    await untilShown(before.shown, 't5 ');
    before.leave();
    const after = openPage(storage);
    await after.watchWithKey(key);
    await after.ended();
    expect(after.shown.at(-1)).toBe(spoken(COUNT));
    // Nothing that was kept opens anything.
    expect([...storage.values()].join()).not.toMatch(/sk-|token/);
    await locked.close();
  });

  it('an answer longer than the log: the reloaded page begins with a snapshot', async () => {
    const long = 12_000;
    const sessionId = await server.createSession({ model: 'tiny:latest' });
    const whole = spoken(long);
    const storage = new Map<string, string>();
    server.ollama.setDefault(({ model }) =>
      model === 'tiny:latest'
        ? { ...tokens(long), cached: true, ignoresLimits: true }
        : script(tokens(COUNT), everyMs(10)),
    );
    const before = openPage(storage);
    await before.ask(server.url, sessionId, 'At length');
    await eventually(async () =>
      expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull(),
    );
    const after = openPage(storage);
    after.watch();
    await after.ended();
    expect(after.shown).toHaveLength(1);
    expectSameText(after.shown.at(-1) ?? '', whole);
  });
});
