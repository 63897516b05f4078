// Over real sockets: which connections are used again, and which are let go.
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createListener, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { readBounded } from '../read-bounded.ts';
import { connectOllama, type OllamaHttp } from './ollama-http.ts';

interface Serving {
  readonly http: OllamaHttp;
  /** As they were opened, those that are closed by now among them. */
  readonly sockets: Socket[];
  /** Of requests to /held, in the order in which they came. */
  readonly held: ServerResponse[];
  ask(path?: string): Promise<string>;
}

async function serve(): Promise<Serving> {
  const sockets: Socket[] = [];
  const held: ServerResponse[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.url === '/held') held.push(response);
    else request.pipe(response);
  });
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const http = connectOllama({ baseUrl: `http://127.0.0.1:${port}`, connectTimeoutMs: 5000 });
  onTestFinished(async () => {
    await http.close();
    server.closeAllConnections();
    server.close();
  });
  const ask = async (path = '/') => {
    const { signal } = new AbortController();
    const answer = await http.send({ method: 'POST', path, body: ['said'], signal });
    const { text } = await readBounded(answer, 1000);
    // It is free one turn of the loop later.
    await setImmediate();
    return text;
  };
  return { http, sockets, held, ask };
}

it('one that is free is used again, and each request that is under way has its own', async () => {
  const { sockets, held, ask } = await serve();
  for (let asked = 0; asked < 5; asked += 1) expect(await ask()).toBe('["said"]');
  expect(sockets).toHaveLength(1);
  const waiting = [ask('/held'), ask('/held'), ask('/held')];
  await expect.poll(() => held.length).toBe(3);
  expect(sockets).toHaveLength(3);
  for (const response of held) response.end('told');
  expect(await Promise.all(waiting)).toEqual(['told', 'told', 'told']);
  await Promise.all([ask(), ask(), ask()]);
  expect(sockets).toHaveLength(3);
});

it('one that the other side has closed is a departure, and another one is opened', async () => {
  const { http, sockets, ask } = await serve();
  await ask();
  sockets[0]?.destroy();
  await expect.poll(() => http.departures()).toBe(1);
  expect(await ask()).toBe('["said"]');
  expect(sockets).toHaveLength(2);
});

it('one whose answer is not wanted is closed, and is no departure', async () => {
  const { http, sockets, held, ask } = await serve();
  const left = new AbortController();
  const given = http.send({ method: 'GET', path: '/held', signal: left.signal });
  await expect.poll(() => held.length).toBe(1);
  left.abort(new Error('never mind'));
  await expect(given).rejects.toThrow('never mind');
  await expect.poll(() => sockets[0]?.destroyed).toBe(true);
  expect(await ask()).toBe('["said"]');
  expect([sockets.length, http.departures()]).toEqual([2, 0]);
});

it('where nothing listens each request fails, and is a departure', async () => {
  const listener = createListener().listen(0, '127.0.0.1');
  await new Promise((listening) => listener.once('listening', listening));
  const { port } = listener.address() as AddressInfo;
  await new Promise((closed) => listener.close(closed));
  const http = connectOllama({ baseUrl: `http://127.0.0.1:${port}`, connectTimeoutMs: 5000 });
  const { signal } = new AbortController();
  for (const count of [1, 2]) {
    await expect(http.send({ method: 'GET', path: '/', signal })).rejects.toThrow('ECONNREFUSED');
    expect(http.departures()).toBe(count);
  }
  await http.close();
});

it('closed, it ends what is under way', async () => {
  const { http, held, ask } = await serve();
  const waiting = ask('/held');
  await expect.poll(() => held.length).toBe(1);
  await Promise.all([http.close(), expect(waiting).rejects.toThrow()]);
});
