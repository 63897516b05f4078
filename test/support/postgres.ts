// A real PostgreSQL for tests: one that is named, else one of this machine's programs in a folder of its own.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

export interface TestPostgres {
  /** Of a user who may make and drop databases. */
  readonly url: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const STARTS_WITHIN_MS = 30_000;

/** Null: there is none, and none can be started. */
export async function startPostgres(): Promise<TestPostgres | null> {
  const { MOCHI_TEST_DATABASE_URL: named } = process.env;
  if (named !== undefined) return { url: named, stop: async () => undefined };
  const programs = findPrograms();
  return programs === null ? null : startOwn(programs);
}

function findPrograms(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...globSync('/usr/lib/postgresql/*/bin')];
  return (
    folders
      .toReversed()
      .find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null
  );
}

async function startOwn(programs: string): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'mochi-postgres-'));
  const user = ownUser();
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'mochi', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { cwd: folder, ...user },
  );
  const port = await freePort();
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
  // Nothing here outlives the machine.
  settings.push('max_connections=300', 'fsync=off', 'full_page_writes=off');
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { cwd: folder, stdio: 'ignore', ...user },
  );
  const url = `postgres://mochi@127.0.0.1:${port}/postgres`;
  await untilItAnswers(url, server);
  return {
    url,
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      // Whoever is connected is sent away.
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It refuses to run as root. */
function ownUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return found === undefined ? null : { uid: Number(found[2]), gid: Number(found[3]) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilItAnswers(url: string, server: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + STARTS_WITHIN_MS;
  for (;;) {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (server.exitCode !== null || performance.now() > giveUpAt) throw error;
      await setTimeout(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
