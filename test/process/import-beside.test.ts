// `mochi-server import` of a large session beside a running server: chats go on, and a kill leaves nothing to be seen.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { sessionLines } from '../support/session-lines.ts';
import { runCommand, startCommand } from '../support/spawned-server.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const MESSAGES = 6000;

let server: TestServer;
let folder: string;
let file: string;
let database: SqliteDriver.Database;
beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'mochi-import-beside-'));
  file = join(folder, 'large.jsonl');
  await writeFile(
    file,
    sessionLines({ id: 'large', messages: MESSAGES, content: (index) => `apple ${index}` }),
  );
  database = new SqliteDriver(join(server.dataDir, 'mochi.db'));
});
afterAll(async () => {
  database.close();
  await server.close();
  await rm(folder, { recursive: true });
});

const env = () => ({ MOCHI_DATA_DIR: server.dataDir });
const rows = () =>
  Number(database.prepare("select count(*) from messages where session_id = 'large'").pluck().get());
const seen = async () => [
  (await server.get('/sessions?q=apple')).body.sessions,
  (await server.get('/search?q=apple')).body.results,
  (await server.get('/sessions/large')).status,
];

describe('an import of a large session beside the server', () => {
  it('lets chats go on; killed in the middle it leaves nothing to be seen, over a restart too', async () => {
    const sessionId = await server.createSession();
    const command = startCommand(['import', file], { env: env() });
    await eventually(() => expect(rows()).toBeGreaterThan(0), { timeout: 30_000, interval: 2 });
    expect((await server.chat(sessionId, { message: 'Hello?' })).status).toBe(200);
    expect(await seen()).toEqual([[], [], 404]);
    expect(command.isRunning).toBe(true);
    await command.kill('SIGKILL');
    const left = rows();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(MESSAGES);
    expect(await seen()).toEqual([[], [], 404]);
    await server.restart();
    expect(await seen()).toEqual([[], [], 404]);
  }, 60_000);

  it('begins anew when it is repeated, and is whole then', async () => {
    // As if some time had gone by: nobody writes it any more.
    database.prepare('update session_rows set hidden_at = 0 where hidden is not null').run();
    const end = await runCommand(['import', file], { env: env() });
    expect([end.status, end.stdout]).toEqual([
      0,
      `${file}: imported as session large (${MESSAGES} messages)\n`,
    ]);
    expect(rows()).toBe(MESSAGES);
    expect((await server.get('/sessions/large/messages?limit=1')).status).toBe(200);
    const again = await runCommand(['import', file], { env: env() });
    expect(again.stdout).toBe(`${file}: already there as session large\n`);
  }, 120_000);
});
