// `mochi-server move`: a data folder into PostgreSQL and back, so that nobody can tell by what is exported of either.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seed } from '../../bench/seed.ts';
import { text } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { runCommand, spawnServer, startCommand } from '../support/spawned-server.ts';
import { administer, databaseUrl, TEST_POSTGRES } from '../support/test-database.ts';

const fixtures = fileURLToPath(new URL('../fixtures/original-sessions', import.meta.url));
const ODD = 'NUL \u0000, its stand-in \u001a0, 数据库部署, e\u0301, \u{1f469}\u{1f3fd}\u200d\u{1f4bb}';

let folder: string;
let full: string;
const names: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mochi-move-'));
  full = join(folder, 'full');
  await seed(full, [{ model: 'llama3.2:latest', sessions: 40, messages: 50, hasTurns: true }]);
  expect((await run(full, ['import', fixtures])).status).toBe(1);
  await fill();
}, 60_000);
afterAll(async () => {
  for (const name of names) await administer(server(), `drop database if exists ${name} with (force)`);
  rmSync(folder, { recursive: true });
});

/** Turns, titles, branches and prompt files of a real server. */
async function fill(): Promise<void> {
  const ollama = await startFakeOllama();
  ollama.setDefault(() => text('Noted: ', ODD));
  const running = await spawnServer({ dataDir: full, ollamaHost: ollama.url });
  const { session_id: id } = (await running.post('/sessions', { title: ODD, metadata: { odd: ODD } })).body;
  for (const message of [ODD, 'quokka', 'wombat']) await running.post(`/chat/${id}`, { message });
  await running.post(`/chat/${id}`, { message: null, mode: 'regenerate' });
  await running.post(`/sessions/${id}/fork`, {});
  await running.post('/system-prompts', { filename: 'brief.md', content: `Be brief. ${ODD}` });
  const gone = (await running.post('/sessions', {})).body.session_id;
  await running.request('DELETE', `/sessions/${gone}`);
  expect((await running.kill('SIGTERM')).status).toBe(0);
  await ollama.close();
}

function server(): string {
  const url = process.env[TEST_POSTGRES];
  if (url === undefined) throw new Error('This is run by npm run test:postgres.');
  return url;
}

async function newDatabase(): Promise<string> {
  const name = `mochi_move_${names.length}_${process.pid}`;
  names.push(name);
  await administer(server(), `create database ${name}`);
  return databaseUrl(server(), name);
}

function run(dataDir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCommand(args, { env: { MOCHI_DATA_DIR: dataDir, ...env } });
}

/** Every file that is exported, by its name. */
async function exported(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Map<string, string>> {
  const target = mkdtempSync(join(folder, 'export-'));
  const { status, stderr } = await run(dataDir, ['export', target], env);
  expect([status, stderr]).toEqual([0, '']);
  // When it was exported is another moment each time.
  return new Map(
    readdirSync(target).map((name) => [
      name,
      readFileSync(join(target, name), 'utf8').replace(/"exported_at":"[^"]+"/, ''),
    ]),
  );
}

async function count(url: string, table: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `select case when to_regclass('${table}') is null then 0 else (xpath('/row/c/text()', query_to_xml('select count(*) as c from ${table}', false, true, '')))[1]::text::int end as found`,
  );
  await client.end();
  return rows[0].found;
}

it('moves everything, in its order, with every sign, and back', async () => {
  const before = await exported(full);
  expect(before.size).toBe(50);
  const url = await newDatabase();
  const { status, stdout, stderr } = await run(full, ['move', '--to', url]);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    /\n50 sessions with \d+ messages moved from .+ to postgres:\/\/.+, counted on both sides\.\n/,
  );
  const there = { MOCHI_DATABASE_URL: url };
  expect(await exported(join(folder, 'none'), there)).toEqual(before);

  const back = join(folder, 'back');
  expect((await run(back, ['move', '--from'], there)).status).toBe(0);
  expect(await exported(back)).toEqual(before);
  expect(readFileSync(join(back, 'system_prompts/brief.md'), 'utf8')).toBe(`Be brief. ${ODD}`);
}, 120_000);

it('serves what was moved: lists, search, prompt files, and goes on with a conversation', async () => {
  const url = await newDatabase();
  const ollama = await startFakeOllama();
  // A server has looked at it before, and left what it knows of itself and of models.
  const early = await spawnServer({
    dataDir: join(folder, 'early'),
    ollamaHost: ollama.url,
    env: { MOCHI_DATABASE_URL: url },
  });
  const tried = await early.createSession();
  ollama.reply(text('Tried.'));
  await early.chat(tried, { message: 'Does it work?' });
  await early.request('DELETE', `/sessions/${tried}`);
  expect((await fetch(`${early.url}/internal/turns/turn_1/events`)).status).toBe(401);
  await early.kill('SIGTERM');
  expect(await run(full, ['move', '--to'], { MOCHI_DATABASE_URL: url })).toMatchObject({
    status: 0,
    stderr: '',
  });
  ollama.setDefault(() => text('On.'));
  const of = (dataDir: string, env: Readonly<Record<string, string>>) =>
    spawnServer({ dataDir, ollamaHost: ollama.url, env });
  const servers = [await of(full, {}), await of(join(folder, 'other'), { MOCHI_DATABASE_URL: url })];
  const paths = [
    '/sessions?limit=100',
    '/sessions?q=quokka',
    '/search?q=数据库',
    '/search?q=noted',
    '/system-prompts',
  ];
  const answers = await Promise.all(
    servers.map(async (one) => {
      const bodies: unknown[] = [];
      for (const path of paths) {
        const { status, body } = await one.get(encodeURI(path));
        expect([path, status]).toEqual([path, 200]);
        // Databases rank differently.
        bodies.push(path.startsWith('/search') ? new Set(body.results.map(idOf)) : body);
      }
      return bodies;
    }),
  );
  expect(answers[1]).toEqual(answers[0]);
  const [, moved] = servers;
  const [newest] = (await moved?.get('/sessions?q=quokka'))?.body.sessions ?? [];
  const answer = await moved?.post(`/chat/${newest.session_id}`, { message: 'Go on' });
  expect([answer?.status, answer?.body.message.content]).toEqual([200, 'On.']);
  for (const one of servers) await one.kill('SIGTERM');
  await ollama.close();
}, 60_000);

function idOf({ session_id, message_id }: { session_id: string; message_id: string | null }): string {
  return `${session_id} ${message_id}`;
}

describe('refuses in one line, and writes nothing', () => {
  const refused = async (dataDir: string, args: readonly string[], says: RegExp) => {
    const { status, stdout, stderr } = await run(dataDir, ['move', ...args]);
    expect([status === 0, stdout.includes('moved from')]).toEqual([false, false]);
    expect(stderr).toMatch(says);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  };

  it('a database with sessions, a folder with sessions, a folder in use, a server on the database', async () => {
    const url = await newDatabase();
    expect((await run(full, ['move', '--to', url])).status).toBe(0);
    const messages = await count(url, 'messages');
    await refused(full, ['--to', url], /must be empty\. Nothing was written\.$/m);
    expect(await count(url, 'messages')).toBe(messages);
    await refused(full, ['--from', url], /must be empty\. Nothing was written\.$/m);
    const ollama = await startFakeOllama();
    const running = await spawnServer({ dataDir: full, ollamaHost: ollama.url });
    await refused(full, ['--to', await newDatabase()], /in use by another mochi-server/);
    await running.kill('SIGTERM');
    await ollama.close();
  }, 60_000);

  it('no direction, two of them, no database, what is no URL, a folder without a database', async () => {
    await refused(full, [], /Say where everything goes/);
    await refused(full, ['--to', 'postgres://h/d', '--from', 'postgres://h/d'], /Say where everything goes/);
    await refused(full, ['--to'], /Name the database/);
    await refused(full, ['--to', 'mysql://root:sesame@h/d'], /The database must be a URL such as/);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'note.txt'), 'mine');
    await refused(empty, ['--to', await newDatabase()], /There is no database in/);
    expect(readdirSync(empty)).toEqual(['note.txt']);
  });
});

it('leaves the database empty when it is killed at any moment, and is then done again', async () => {
  const url = await newDatabase();
  let killed = 0;
  for (const table of ['session_rows', 'messages', 'turns', 'prompt_files']) {
    const command = startCommand(['move', '--to', url], { env: { MOCHI_DATA_DIR: full } });
    const seen =
      table === 'session_rows'
        ? / sessions\n/
        : new RegExp(` ${table === 'prompt_files' ? 'meta' : table}\n`);
    await command.printed('stdout', seen);
    await command.kill('SIGKILL');
    killed += 1;
    // The server of the database may need a moment to see it.
    await expect.poll(() => count(url, 'session_rows')).toBe(0);
  }
  expect(killed).toBe(4);
  expect((await run(full, ['move', '--to', url])).status).toBe(0);
  expect(await count(url, 'session_rows')).toBe(50);
}, 60_000);
