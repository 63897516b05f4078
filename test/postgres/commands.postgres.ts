// Commands of a server that keeps everything in PostgreSQL: what they find, and what they send people to.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { findPrograms, type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { runCommand, type SpawnedServer, spawnServer } from '../support/spawned-server.ts';
import { administer, databaseUrl } from '../support/test-database.ts';

const PASSWORD = 'sesame-8642';
let postgres: OwnPostgres;
let ollama: FakeOllama;
let server: SpawnedServer;
let dataDir: string;
let url: string;

beforeAll(async () => {
  const own = await startOwnPostgres(PASSWORD);
  if (own === null) throw new Error('There is no PostgreSQL on this machine.');
  postgres = own;
  ollama = await startFakeOllama();
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-postgres-commands-'));
  await administer(postgres.url, 'create database chats');
  url = databaseUrl(postgres.url, 'chats');
}, 60_000);
afterAll(async () => {
  await server?.kill('SIGTERM');
  await postgres.stop();
  await ollama.close();
  rmSync(dataDir, { recursive: true });
});

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const port = new URL(server?.url ?? 'http://127.0.0.1:1').port;
  const { status, stdout, stderr } = await runCommand(args, {
    env: {
      MOCHI_DATABASE_URL: url,
      MOCHI_DATA_DIR: dataDir,
      MOCHI_OLLAMA_HOST: ollama.url,
      MOCHI_PORT: port,
      ...env,
    },
  });
  const text = `${stdout}${stderr}`;
  expect(text).not.toContain(PASSWORD);
  return { status, text };
}

it('doctor says where everything is kept, before and after the first start, and how many connections are needed', async () => {
  const shown = `postgres://127.0.0.1:${new URL(url).port}/chats`;
  expect((await run(['doctor'])).text).toContain(`    Database: ${shown} answers (PostgreSQL ${version()}`);
  expect((await run(['doctor'])).text).toContain('it is empty: the first start makes its tables');
  server = await spawnServer({ dataDir, ollamaHost: ollama.url, env: { MOCHI_DATABASE_URL: url } });
  await server.createSession({ tool_settings: { tools: ['no_such_tool'] } });
  const { status, text } = await run(['doctor']);
  expect([status, text]).toEqual([0, expect.stringContaining(`ok  Database: ${shown} answers`)]);
  expect(text).toMatch(/ok {2}Connections: a server uses up to 11 of \d+; other programs have 0 now/);
  expect(text).toContain('Tools: sessions name some that do not exist, or are forbidden: no_such_tool');
  // Asked about a port at which none is, while the database has one.
  const elsewhere = await run(['doctor'], { MOCHI_PORT: '1' });
  expect(elsewhere.text).toContain(`ok  Servers: 1 on this database: ${server.url} (${VERSION})\n`);
  expect(elsewhere.text).toContain('    Server: none runs at http://127.0.0.1:1\n');
  expect(elsewhere.text).not.toContain('Start the server');
  const greedy = await run(['doctor'], { MOCHI_DATABASE_POOL: '999' });
  expect([greedy.status, greedy.text]).toEqual([
    1,
    expect.stringContaining('BAD Connections: a server uses up to 1000'),
  ]);
  expect(greedy.text).toContain('Raise max_connections of PostgreSQL, or lower MOCHI_DATABASE_POOL.');
  writeFileSync(join(dataDir, 'mochi.db'), '');
  expect((await run(['doctor'])).text).toContain('is there as well, and is not used');
  rmSync(join(dataDir, 'mochi.db'));
  const wrong = new URL(url);
  wrong.password = 'no';
  const closed = await run(['doctor'], { MOCHI_DATABASE_URL: wrong.href });
  expect([closed.status, closed.text]).toEqual([1, expect.stringContaining('BAD Database: postgres://')]);
  expect(closed.text).toContain('does not let this user in');
});

it('backup and restore name the commands of PostgreSQL, which do it', async () => {
  const file = join(dataDir, 'chats.dump');
  const sessionId = await server.createSession({ title: 'Kept' });
  const backup = await run(['backup', file]);
  expect(backup).toMatchObject({
    status: 2,
    text: expect.stringContaining(`\n  pg_dump --format=custom --file=${file} postgres://mochi@`),
  });
  execute(backup.text);
  await server.request('DELETE', `/sessions/${sessionId}`);
  await server.kill('SIGTERM');
  const restore = await run(['restore', file]);
  expect(restore).toMatchObject({ status: 2, text: expect.stringContaining('Stop every server') });
  execute(restore.text);
  server = await spawnServer({ dataDir, ollamaHost: ollama.url, env: { MOCHI_DATABASE_URL: url } });
  expect((await server.get(`/sessions/${sessionId}`)).body).toMatchObject({ title: 'Kept' });
  expect(existsSync(join(dataDir, 'mochi.db'))).toBe(false);
});

it('export writes what is there, and import brings it back, beside the running server', async () => {
  const sessionId = await server.createSession({ title: 'Travels' });
  const folder = join(dataDir, 'exported');
  expect(await run(['export', folder])).toMatchObject({ status: 0 });
  const file = join(folder, `${sessionId}.jsonl`);
  await server.request('DELETE', `/sessions/${sessionId}`);
  expect((await run(['import', file])).text).toContain(': imported as session ');
  expect((await server.get('/sessions?q=travels')).body.sessions).toMatchObject([{ title: 'Travels' }]);
  expect((await run(['import', file])).text).toContain(': already there as session ');
  expect(existsSync(join(dataDir, 'mochi.db'))).toBe(false);
});

it('what talks to the running server needs no database', async () => {
  expect(await run(['approvals'])).toEqual({ status: 0, text: 'Nothing waits for an approval.\n' });
  expect((await run(['tools'])).status).toBe(0);
});

/** The line that is meant to be copied. */
function execute(said: string): void {
  const line = said.split('\n').find((text) => text.startsWith('  pg_')) ?? '';
  execFileSync('bash', ['-c', line], {
    env: { ...process.env, PATH: `${findPrograms()}:${process.env['PATH']}`, PGPASSWORD: PASSWORD },
  });
}

function version(): string {
  const said = execFileSync(join(findPrograms() ?? '', 'postgres'), ['--version'], { encoding: 'utf8' });
  return /\d+/.exec(said)?.[0] ?? '';
}
