// Several servers, each a process, on one database of PostgreSQL and one fake Ollama.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import {
  type RunningCommand,
  type SpawnedServer,
  startCommand,
  WITHOUT_BACKGROUND_JOBS,
} from '../support/spawned-server.ts';
import { createClient } from '../support/test-client.ts';
import { administer, databaseUrl, TEMPLATE, TEST_POSTGRES } from '../support/test-database.ts';

export interface ClusterServer extends SpawnedServer {
  /** It stands still, or goes on. */
  freeze(): void;
  thaw(): void;
}

export interface Cluster {
  readonly ollama: FakeOllama;
  /** Of the database. */
  readonly url: string;
  start(env?: Readonly<Record<string, string>>): Promise<ClusterServer>;
  /** What a statement finds in the database. */
  rows(statement: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const LEASE = { beatMs: 300, leaseMs: 4000, stopMs: 3000 };

const READY = /is ready at (\S+) \(/;

/** @param own a PostgreSQL for these servers alone; missing: that of all tests */
export async function openCluster(own?: string): Promise<Cluster> {
  const postgres = own ?? process.env[TEST_POSTGRES];
  if (postgres === undefined) throw new Error(`${TEST_POSTGRES} is not set: use npm run test:cluster.`);
  const ollama = await startFakeOllama();
  const name = `mochi_${randomBytes(6).toString('hex')}`;
  await administer(postgres, `create database ${name}${own === undefined ? ` template ${TEMPLATE}` : ''}`);
  const url = databaseUrl(postgres, name);
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-cluster-'));
  const started: RunningCommand[] = [];
  return {
    ollama,
    url,
    async start(env = {}) {
      const command = startCommand([], {
        bin: 'test/cluster/serve.ts',
        env: {
          ...WITHOUT_BACKGROUND_JOBS,
          MOCHI_ENGINE: 'ollama',
          MOCHI_DATA_DIR: dataDir,
          MOCHI_OLLAMA_HOST: ollama.url,
          MOCHI_DATABASE_URL: url,
          MOCHI_DATABASE_POOL: '5',
          MOCHI_BUILTIN_TOOLS: 'current_time',
          MOCHI_SHUTDOWN_GRACE_SECONDS: '0.3',
          LEASE: JSON.stringify(LEASE),
          ...env,
        },
      });
      started.push(command);
      const [, address = ''] = await command.printed('stdout', READY);
      return Object.assign(
        command,
        createClient(() => address),
        {
          dataDir,
          freeze: () => void process.kill(command.pid, 'SIGSTOP'),
          thaw: () => void process.kill(command.pid, 'SIGCONT'),
        },
      );
    },
    async rows(statement) {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query(statement)).rows;
      } finally {
        await client.end();
      }
    },
    async close() {
      for (const command of started) if (command.isRunning) await command.kill('SIGKILL');
      await ollama.close();
      await administer(postgres, `drop database ${name} with (force)`);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A turn that has begun to be answered or stands in line; its stream is read no further. */
export async function openTurn(
  server: ClusterServer,
  sessionId: string,
  message: string,
  until = 'content_delta',
): Promise<string> {
  const { events, status } = await server.stream(`/chat/${sessionId}/stream`, {
    message,
    on_disconnect: 'continue',
  });
  expect(status).toBe(200);
  let turnId = '';
  for await (const { event, data } of events) {
    if (event === 'turn_start') turnId = data.turn_id;
    if (event === until || (event === 'status' && data.phase === until)) break;
  }
  // The first piece is told a moment before it is stored.
  if (until === 'content_delta')
    await expect.poll(async () => (await server.messages(sessionId)).at(-1)?.role).toBe('assistant');
  return turnId;
}

export async function untilState(server: ClusterServer, turnId: string, state: string): Promise<void> {
  await expect
    .poll(async () => (await server.get(`/turns/${turnId}`)).body.state, { timeout: 15_000, interval: 50 })
    .toBe(state);
}

export async function contentsOf(server: ClusterServer, sessionId: string): Promise<string[]> {
  return (await server.messages(sessionId)).map(
    ({ role, content, status }) => `${role} ${content} ${status}`,
  );
}
