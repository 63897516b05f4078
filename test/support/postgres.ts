// A real PostgreSQL for tests: one that is named, else one of this machine's programs in a folder of its own.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

export interface TestPostgres {
  /** Of a user who may make and drop databases. */
  readonly url: string;
  stop(): Promise<void>;
}

/** One whose process is ours: what happens to servers of databases is done to it. */
export interface OwnPostgres extends TestPostgres {
  /** All of its processes stand still, or go on. */
  freeze(): void;
  thaw(): void;
  /** As after a power cut: nobody is told, and what was committed is there at the next start. */
  crash(): Promise<void>;
  /** After a stop or a crash, on the same port. @param settings besides those that it has, such as `max_connections=5` */
  start(settings?: readonly string[]): Promise<void>;
  /** Ends it in order, and keeps its data. */
  halt(): Promise<void>;
}

const run = promisify(execFile);
const STARTS_WITHIN_MS = 30_000;

/** Null: there is none, and none can be started. */
export async function startPostgres(): Promise<TestPostgres | null> {
  const { MOCHI_TEST_DATABASE_URL: named } = process.env;
  if (named !== undefined) return { url: named, stop: async () => undefined };
  return startOwnPostgres();
}

/** @param password that everybody is asked for; missing: nobody is. Null: none can be started */
export async function startOwnPostgres(password?: string): Promise<OwnPostgres | null> {
  const programs = findPrograms();
  if (programs === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'mochi-postgres-'));
  const user = ownUser();
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password ?? 'unused');
  const data = join(folder, 'data');
  const way = password === undefined ? 'trust' : 'scram-sha-256';
  await run(
    join(programs, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'mochi',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
      `--pwfile=${passwordFile}`,
      '-A',
      way,
    ],
    { cwd: folder, ...user },
  );
  const port = await freePort();
  const url = `postgres://mochi${password === undefined ? '' : `:${password}`}@127.0.0.1:${port}/postgres`;
  const spawnIt = (settings: readonly string[]) => {
    const own = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
    // Nothing here outlives the machine.
    own.push('max_connections=300', 'fsync=off', 'full_page_writes=off', ...settings);
    const options = own.flatMap((setting) => ['-c', setting]);
    return spawn(join(programs, 'postgres'), ['-D', data, ...options], {
      cwd: folder,
      stdio: 'ignore',
      ...user,
    });
  };
  let server = spawnIt([]);
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await ended;
  };
  await untilItAnswers(url, server);
  return {
    url,
    freeze: () => signalAll(server, 'SIGSTOP'),
    thaw: () => signalAll(server, 'SIGCONT'),
    crash: () => end('SIGQUIT'),
    // Whoever is connected is sent away.
    halt: () => end('SIGINT'),
    async start(settings = []) {
      server = spawnIt(settings);
      await untilItAnswers(url, server);
    },
    async stop() {
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each connection has a process of its own. */
function signalAll({ pid = 0 }: ChildProcess, signal: 'SIGSTOP' | 'SIGCONT'): void {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const one of [pid, ...listed.map(Number)]) process.kill(one, signal);
}

export function findPrograms(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...globSync('/usr/lib/postgresql/*/bin')];
  return (
    folders
      .toReversed()
      .find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null
  );
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
