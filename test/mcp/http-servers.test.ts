// A server over HTTP: of npm's, in a process that can be ended and started again at the same port.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type McpWorld, openMcpWorld } from '../support/mcp-world.ts';

const file = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);

async function serve(port: number, kind = 'streamableHttp'): Promise<ChildProcess> {
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(process.execPath, [file, kind], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        if (/listening|running/.test(chunk.toString())) resolve();
      });
    }
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

describe('a server over HTTP', { timeout: 90_000 }, () => {
  let port: number;
  let child: ChildProcess;
  let world: McpWorld;
  beforeEach(async () => {
    port = await freePort();
    child = await serve(port);
    world = await openMcpWorld(
      () => ({ web: { url: `http://127.0.0.1:${port}/mcp?key=\${KEY}`, headers: { 'x-key': '${KEY}' } } }),
      { KEY: 'sesame-1234' },
    );
  }, 60_000);
  afterEach(async () => {
    await world.close();
    if (child.exitCode === null && child.signalCode === null) await end(child);
  });
  const echo = () => world.run('mcp__web__echo', { message: 'hi' });

  it('is ready and answers; nothing of its address but the origin is shown', async () => {
    expect(world.servers.list()).toMatchObject([
      { transport: 'http', target: `http://127.0.0.1:${port}`, state: 'ready', era: '2025-11-25' },
    ]);
    expect(JSON.stringify(world.servers.list())).not.toContain('sesame-1234');
    expect(await echo()).toMatchObject({ state: 'succeeded', text: 'Echo: hi' });
  });

  it('that was started again does not know our session: a new one is opened, and the call is made', async () => {
    await end(child);
    child = await serve(port);
    expect(await echo()).toMatchObject({ state: 'succeeded', text: 'Echo: hi' });
  });

  it('that is gone fails the call, which did not run; it is found again by the next call', async () => {
    await end(child);
    expect(await echo()).toMatchObject({ state: 'failed', text: expect.stringContaining('did not run') });
    expect(world.servers.list()).toMatchObject([{ state: 'failed' }]);
    child = await serve(port);
    expect(await echo()).toMatchObject({ state: 'succeeded', text: 'Echo: hi' });
    expect(world.servers.list()).toMatchObject([{ state: 'ready', error: null }]);
  });

  it('that is killed during a call leaves it unknown, and holds up nobody', async () => {
    let tellBegun: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      tellBegun = resolve;
    });
    const run = world.run(
      'mcp__web__trigger-long-running-operation',
      { duration: 60, steps: 200 },
      { onProgress: () => tellBegun() },
    );
    await begun;
    const killedAt = performance.now();
    await end(child);
    expect(await run).toMatchObject({
      state: 'unknown',
      text: expect.stringContaining('may have taken effect'),
    });
    expect(performance.now() - killedAt).toBeLessThan(20_000);
  });
});

describe('a server of the oldest kind, over two connections', { timeout: 60_000 }, () => {
  it('answers, and is found again when it was started again', async () => {
    const port = await freePort();
    let child = await serve(port, 'sse');
    const world = await openMcpWorld(() => ({ old: { url: `http://127.0.0.1:${port}/sse`, type: 'sse' } }));
    expect(world.servers.list()).toMatchObject([{ transport: 'sse', state: 'ready', error: null }]);
    const echo = () => world.run('mcp__old__echo', { message: 'hi' });
    expect(await echo()).toMatchObject({ state: 'succeeded', text: 'Echo: hi' });
    await end(child);
    child = await serve(port, 'sse');
    expect(await echo()).toMatchObject({ state: 'succeeded', text: 'Echo: hi' });
    await world.close();
    await end(child);
  });
});

/** Speaks by hand, and answers a call with more than anybody should read. */
async function serveLong(asStream: boolean) {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      const { id, method, params } = JSON.parse(text === '' ? '{}' : text);
      if (request.method !== 'POST') response.writeHead(405).end();
      else if (id === undefined) response.writeHead(202).end();
      else {
        const results: Record<string, object> = {
          initialize: {
            protocolVersion: params?.protocolVersion,
            capabilities: { tools: {} },
            serverInfo: { name: 'long', version: '1' },
          },
          'tools/list': { tools: [{ name: 'talk', inputSchema: { type: 'object' } }] },
          'tools/call': { content: [{ type: 'text', text: 'x'.repeat(20 * 1024 * 1024) }] },
        };
        const result = results[method];
        const known = result ? { result } : { error: { code: -32601, message: 'unknown' } };
        const body = JSON.stringify({ jsonrpc: '2.0', id, ...known });
        const isEvent = asStream && method === 'tools/call';
        response.writeHead(200, { 'content-type': isEvent ? 'text/event-stream' : 'application/json' });
        response.end(isEvent ? `data: ${body}\n\n` : body);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe('an answer of 20 MB', { timeout: 60_000 }, () => {
  it.each([false, true])(
    'fails the call at once, and nothing else (as a stream of events: %s)',
    async (asStream) => {
      const { server, port } = await serveLong(asStream);
      const world = await openMcpWorld(() => ({
        web: { url: `http://127.0.0.1:${port}/`, protocol: '2025' },
      }));
      const startedAt = performance.now();
      expect(await world.run('mcp__web__talk')).toMatchObject({ state: 'unknown' });
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      expect(world.servers.list()).toMatchObject([{ state: 'ready' }]);
      await world.close();
      await new Promise((resolve) => server.close(resolve));
    },
  );
});

describe('an address', () => {
  it.each([
    [401, 'needs_auth'],
    [500, 'failed'],
  ])('that answers %d: %s', async (status, state) => {
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(status).end('no');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const world = await openMcpWorld(() => ({ web: { url: `http://127.0.0.1:${port}/mcp` } }));
    expect(world.servers.list()).toMatchObject([{ state, error: expect.any(String) }]);
    expect(asked).toBeGreaterThan(0);
    await world.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
