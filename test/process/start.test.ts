// Data folders that cannot be used: one clear line, exit 2, and the folder as it was.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { insertTurn } from '../../src/store/turns.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { type CommandOptions, runCommand, spawnServer } from '../support/spawned-server.ts';

const TIME = '2026-02-15T09:49:38.310281Z';

// Processes start slowly on a machine that does much else.
describe('a start', { timeout: 90_000 }, () => {
  let ollama: FakeOllama;
  let folder: string;
  let folders = 0;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    folder = await mkdtemp(join(tmpdir(), 'mochi-start-'));
  });
  afterAll(async () => {
    await ollama.close();
    await rm(folder, { recursive: true });
  });

  function newFolder(): string {
    folders += 1;
    return join(folder, String(folders));
  }

  /** @returns the one line that was said */
  async function refused(dataDir: string, options: CommandOptions = {}): Promise<string> {
    const end = await runCommand(['--port', '0'], {
      ...options,
      env: { MOCHI_DATA_DIR: dataDir, MOCHI_OLLAMA_HOST: ollama.url },
    });
    expect(end.stderr).toMatch(/^mochi-server: .+\n$/);
    expect(end).toMatchObject({ status: 2, stdout: '' });
    return end.stderr;
  }

  /** A database with sessions whose turns a killed server left running. */
  async function fill(dataDir: string, sessions: number): Promise<void> {
    const { db, close } = await openStore({ dataDir, exclusive: true });
    await db.transaction().execute(async (transaction) => {
      for (let number = 0; number < sessions; number += 1) {
        const id = `session${number}`;
        await insertSession(transaction, {
          id,
          model: 'llama3.2:latest',
          createdAt: TIME,
          updatedAt: TIME,
          title: 'x'.repeat(1000),
          metadata: {},
          toolSettings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
          agentSettings: { enabled_agents: [] },
          contextWindow: {
            dynamic_enabled: true,
            current_window: 8192,
            last_adjustment: 'initial_setup',
            adjustment_history: [],
            manual_override: false,
          },
          summaryModel: null,
        });
        await insertTurn(transaction, {
          id: `turn${number}`,
          sessionId: id,
          state: 'queued',
          createdAt: TIME,
          request: { messageId: `message${number}`, content: 'still there', timestamp: TIME, images: [] },
          userMessageId: `message${number}`,
          idempotency: null,
          isStructured: false,
        });
      }
    });
    await close();
  }

  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

  it('is refused where there is no folder to make', async () => {
    await writeFile(join(folder, 'file'), 'not a folder');
    expect(await refused(join(folder, 'file'))).toContain(join(folder, 'file'));
    const dataDir = newFolder();
    await mkdir(join(dataDir, 'mochi.db'), { recursive: true });
    expect(await refused(dataDir)).toContain(dataDir);
  });

  it('is refused with a damaged database, which stays as it is', async () => {
    const dataDir = newFolder();
    await fill(dataDir, 40);
    const file = join(dataDir, 'mochi.db');
    garble(file, (driver) => Number(driver.pragma('page_count', { simple: true })) >> 1);
    const before = digest(file);
    expect(await refused(dataDir)).toMatch(/damaged/);
    expect(digest(file)).toBe(before);
  });

  it('is refused with damage in a database that is too large to be checked first', async () => {
    const dataDir = newFolder();
    await fill(dataDir, 1);
    const file = join(dataDir, 'mochi.db');
    garble(file, (driver) => {
      driver.exec("insert into meta values ('large', zeroblob(70000000))");
      return driver
        .prepare("select rootpage from sqlite_schema where name = 'turns_unfinished'")
        .pluck()
        .get() as number;
    });
    leaveLog(file);
    const before = [digest(file), digest(`${file}-wal`)];
    expect(await refused(dataDir)).toMatch(/damaged/);
    expect([digest(file), digest(`${file}-wal`)]).toEqual(before);
  });

  /** Writes as a server does that is killed: what it wrote last is in the log only. */
  function leaveLog(file: string): void {
    const driver = new SqliteDriver(file);
    const reader = new SqliteDriver(file, { readonly: true });
    driver.exec("insert into meta values ('late', 'in the log')");
    reader.prepare('select * from meta').get();
    driver.close();
    reader.close();
  }

  /** Writes noise over one page of the file. */
  function garble(file: string, pick: (driver: SqliteDriver.Database) => number): void {
    const driver = new SqliteDriver(file);
    const page = pick(driver);
    const size = Number(driver.pragma('page_size', { simple: true }));
    driver.close();
    const bytes = readFileSync(file);
    bytes.fill('mochi', (page - 1) * size, page * size);
    writeFileSync(file, bytes);
  }

  it('is refused with a database of a newer version, which stays as it is', async () => {
    const dataDir = newFolder();
    await fill(dataDir, 1);
    const file = join(dataDir, 'mochi.db');
    const driver = new SqliteDriver(file);
    driver.prepare('insert into kysely_migration values (?, ?)').run('999_of_the_future', TIME);
    driver.close();
    const before = digest(file);
    expect(await refused(dataDir)).toMatch(/newer mochi-server/);
    expect(digest(file)).toBe(before);
  });

  it('is refused with a database that is for newer versions only, which stays as it is', async () => {
    const dataDir = newFolder();
    await fill(dataDir, 1);
    const file = join(dataDir, 'mochi.db');
    const say = (version: string) => {
      const driver = new SqliteDriver(file);
      driver.prepare("insert or replace into meta values ('min_version', ?)").run(version);
      driver.close();
      return digest(file);
    };
    const before = say('99.1.0');
    expect(await refused(dataDir)).toMatch(/needs 99\.1\.0 or newer: this is \d/);
    expect(digest(file)).toBe(before);
    // Nobody knows what it means: not for this version, in any case.
    say('the next one');
    expect(await refused(dataDir)).toMatch(/needs the next one or newer/);
    say('0.0.9');
    await (await spawnServer({ dataDir, ollamaHost: ollama.url })).kill('SIGTERM');
  });

  it('is refused on a full disk, and nothing is in the way of the next one', async () => {
    const dataDir = newFolder();
    expect(await refused(dataDir, { maxFileKiB: 60 })).toMatch(/disk is full/);
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    await server.chat(await server.createSession(), { message: 'Hello' });
    await server.kill('SIGTERM');
  });

  it('is refused when the disk is full while it closes what a kill left; the next one goes on', async () => {
    const dataDir = newFolder();
    await fill(dataDir, 40);
    expect(await refused(dataDir, { maxFileKiB: 64 })).toMatch(/disk is full/);
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const rows = await readStore(dataDir);
    expect(faultsOf(rows)).toEqual([]);
    expect(rows.messages.map(({ content }) => content)).toEqual(Array(40).fill('still there'));
    await server.kill('SIGTERM');
  });

  it('is refused while another server has the folder; no lock outlives a kill', async () => {
    const dataDir = newFolder();
    const first = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const sessionId = await first.createSession();
    expect(await refused(dataDir)).toMatch(/in use by another mochi-server/);
    await first.chat(sessionId, { message: 'Still here?' });
    await first.kill('SIGKILL');
    const next = await spawnServer({ dataDir, ollamaHost: ollama.url });
    expect(await next.messages(sessionId)).toHaveLength(2);
    await next.kill('SIGTERM');
  });

  it('is refused where the database is gone, unless told to make a new one', async () => {
    const dataDir = newFolder();
    const first = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const sessionId = await first.createSession();
    await first.kill('SIGTERM');
    await rm(join(dataDir, 'mochi.db'));
    expect(await refused(dataDir)).toMatch(/is gone.*mochi-server restore FILE.*--new-database/);
    const next = await spawnServer({ dataDir, ollamaHost: ollama.url, flags: ['--new-database'] });
    expect((await next.get(`/sessions/${sessionId}`)).status).toBe(404);
    await next.kill('SIGTERM');
    await (await spawnServer({ dataDir, ollamaHost: ollama.url })).kill('SIGTERM');
  });

  it('is refused while a server has the database, without its lock file and through a link, too', async () => {
    const dataDir = newFolder();
    const first = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const sessionId = await first.createSession();
    await rm(join(dataDir, 'mochi.lock'));
    expect(await refused(dataDir)).toMatch(/in use by another process/);
    expect(await refused(dataDir)).toMatch(/in use by another process/);
    const linked = newFolder();
    await mkdir(linked);
    await symlink(join(dataDir, 'mochi.db'), join(linked, 'mochi.db'));
    expect(await refused(linked)).toMatch(/in use by another/);
    // Commands go on beside it.
    const env = { MOCHI_DATA_DIR: dataDir };
    const exported = await runCommand(['export', join(folder, 'exported')], { env });
    expect(exported).toMatchObject({ status: 0, stderr: '' });
    expect(await runCommand(['import', join(folder, 'exported')], { env })).toMatchObject({
      status: 0,
      stderr: '',
    });
    await first.chat(sessionId, { message: 'Still here?' });
    await first.kill('SIGKILL');
    const next = await spawnServer({ dataDir: linked, ollamaHost: ollama.url });
    expect(await next.messages(sessionId)).toHaveLength(2);
    await next.kill('SIGTERM');
  });
});
