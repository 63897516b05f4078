// A real server for tests: real sockets, a real database in a temporary folder, a real (fake) Ollama over HTTP.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/kit/log.ts';
import { createServer, type Server, type ServerOptions } from '../../src/server.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import type { FakeOllamaOptions } from '../fake-ollama/fake-state.ts';
import { WITHOUT_BACKGROUND_JOBS } from './spawned-server.ts';
import { createClient, type TestClient } from './test-client.ts';
import { databaseFor, dropDatabaseOf } from './test-database.ts';

export interface TestServer extends TestClient {
  readonly ollama: FakeOllama;
  readonly dataDir: string;
  readonly config: Config;
  /** Closes the server and starts another one on the same data folder, at another port. */
  restart(overrides?: Partial<Config>, disk?: Pick<TestServerOptions, 'disk'>): Promise<void>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly config?: Partial<Config>;
  readonly ollama?: FakeOllamaOptions;
  readonly toolSources?: ServerOptions['toolSources'];
  readonly disk?: ServerOptions['disk'];
  /** A folder to use, left behind at the end; default: a temporary one. */
  readonly dataDir?: string;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const ollama = await startFakeOllama(options.ollama);
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'mochi-test-')));
  let overrides: Partial<Config> = options.config ?? {};
  let running = await listen(await testConfig(dataDir, ollama.url, overrides), options);
  const client = createClient(() => running.url);
  return {
    ...client,
    ollama,
    dataDir,
    get config() {
      return running.config;
    },
    get url() {
      return running.url;
    },
    async restart(changed = {}, { disk } = {}) {
      await running.server.close();
      overrides = { ...overrides, ...changed };
      running = await listen(await testConfig(dataDir, ollama.url, overrides), { ...options, disk });
    },
    async close() {
      await running.server.close();
      await ollama.close();
      if (options.dataDir !== undefined) return;
      await dropDatabaseOf(dataDir);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function listen(
  config: Config,
  { toolSources = [], disk }: TestServerOptions,
): Promise<{ server: Server; url: string; config: Config }> {
  const log = createLog({ level: 'fatal', format: 'json' });
  const server = await createServer(config, log, { toolSources, disk });
  return { server, url: await server.listen(), config };
}

async function testConfig(dataDir: string, ollamaHost: string, overrides: Partial<Config>): Promise<Config> {
  const loaded = loadConfig({
    flags: { port: '0', dataDir, engine: 'ollama', ollamaHost, shutdownGraceSeconds: '0.2' },
    env: { ...WITHOUT_BACKGROUND_JOBS },
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const database = await databaseFor(dataDir);
  return {
    ...loaded.config,
    ...(database && { databaseUrl: database.url, databasePool: database.pool }),
    ...overrides,
  };
}
