// Clients that write many requests at once and never read: what the server holds for them is bounded.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

const MIB = 1024 * 1024;

describe('connections that ask on and never read', { timeout: 90_000 }, () => {
  let ollama: FakeOllama;
  let server: SpawnedServer;
  let dataDir: string;
  beforeEach(async () => {
    ollama = await startFakeOllama();
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-pipelining-'));
    const env = { NODE_OPTIONS: '--max-old-space-size=192' };
    server = await spawnServer({ dataDir, ollamaHost: ollama.url, env });
  }, 60_000);
  afterEach(async () => {
    await server.kill('SIGKILL');
    await ollama.close();
    await rm(dataDir, { recursive: true });
  });

  /** Resolves when the requests lie in the sockets, or when the server takes no more of them. */
  async function ask(path: string, times: number): Promise<Socket> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(times));
    return socket;
  }

  /** The most that the process ever held. */
  const peakBytes = () =>
    Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1024;

  it.each([
    ['the document of the API', '/openapi.json', 14, 1400],
    ['a script of the documentation', '/docs/static/swagger-ui-bundle.js', 4, 300],
  ])('%s', async (_what, path, connections, times) => {
    // Read once by somebody who reads: what is held for good is held before.
    await (await fetch(`${server.url}${path}`)).arrayBuffer();
    const before = peakBytes();
    await Promise.all(Array.from({ length: connections }, () => ask(path, times)));
    // Whoever asks now waits until the server has dealt with what lay in the sockets.
    for (let round = 0; round < 20; round += 1) {
      expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    }
    expect(server.isRunning).toBe(true);
    expect(peakBytes() - before).toBeLessThan(400 * MIB);
  });
});
