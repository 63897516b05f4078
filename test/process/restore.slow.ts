// `mochi-server restore` over what a killed server has left, killed itself at every step, and what it refuses.
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { StoreOpenError } from '../../src/store/store-open-error.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { type ProcessEnd, runCommand, spawnServer } from '../support/spawned-server.ts';

const KILLER = pathToFileURL(join(import.meta.dirname, '../support/kill-at-step.ts')).href;

describe('mochi-server restore', { timeout: 180_000 }, () => {
  let ollama: FakeOllama;
  let root: string;
  /** What a killed server left: the sessions `early` and `late`; the backup has only the first. */
  let killed: string;
  let backup: string;
  let early: string;
  let late: string;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    root = await mkdtemp(join(tmpdir(), 'mochi-restore-'));
    killed = join(root, 'killed');
    backup = join(root, 'backup.db');
    const server = await spawnServer({ dataDir: killed, ollamaHost: ollama.url });
    early = await server.createSession();
    expect((await runCommand(['backup', backup], { env: { MOCHI_DATA_DIR: killed } })).status).toBe(0);
    late = await server.createSession();
    await server.chat(late, { message: 'After the backup' });
    await server.kill('SIGKILL');
    expect(await readdir(killed)).toContain('mochi.db-wal');
  }, 120_000);
  afterAll(async () => {
    await ollama.close();
    await rm(root, { recursive: true });
  });

  let folders = 0;
  async function copyOfKilled(): Promise<string> {
    folders += 1;
    const dataDir = join(root, `copy-${folders}`);
    await cp(killed, dataDir, { recursive: true });
    return dataDir;
  }

  const restore = (dataDir: string, file = backup, env: Record<string, string> = {}): Promise<ProcessEnd> =>
    runCommand(['restore', file], { env: { MOCHI_DATA_DIR: dataDir, ...env } });

  /** As a start finds it; null: refused. */
  async function sessionsOf(dataDir: string): Promise<string[] | null> {
    try {
      const { db, close } = await openStore({ dataDir, exclusive: true });
      const rows = await db.selectFrom('sessions').select('id').execute();
      await close();
      return rows.map(({ id }) => id).sort();
    } catch (error) {
      expect(error).toBeInstanceOf(StoreOpenError);
      return null;
    }
  }

  const digest = async (file: string) =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  async function digestsIn(folder: string): Promise<Set<string>> {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return new Set(await Promise.all(files.map(digest)));
  }

  it('puts the backup in the place of the database; what was there is kept and can be used', async () => {
    const dataDir = await copyOfKilled();
    const end = await restore(dataDir);
    expect({ status: end.status, stderr: end.stderr }).toEqual({ status: 0, stderr: '' });
    const [, kept = ''] =
      /^restored 1 sessions and 0 messages from .*; the former database is kept in (.*)\n$/.exec(
        end.stdout,
      ) ?? [];
    expect(kept.startsWith(join(dataDir, 'mochi-before-'))).toBe(true);
    expect(await sessionsOf(kept)).toEqual([early, late].sort());

    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    expect((await server.get(`/sessions/${early}`)).status).toBe(200);
    expect((await server.get(`/sessions/${late}`)).status).toBe(404);
    await server.chat(early, { message: 'And on' });
    await server.kill('SIGKILL');
    // The same backup again, over another kill.
    expect((await restore(dataDir)).status).toBe(0);
    expect(await sessionsOf(dataDir)).toEqual([early]);
  });

  it('loses nothing when it is killed at any step, and is done again', async () => {
    const former = await Promise.all(['mochi.db', 'mochi.db-wal'].map((name) => digest(join(killed, name))));
    const original = await digest(backup);
    const states: string[] = [];
    for (let step = 1; ; step += 1) {
      const dataDir = await copyOfKilled();
      const env = { KILL_AT_STEP: String(step), NODE_OPTIONS: `--import=${KILLER}` };
      const end = await restore(dataDir, backup, env);
      const left = await digestsIn(dataDir);
      for (const one of former) expect(left, `after step ${step}`).toContain(one);
      expect(await digest(backup)).toBe(original);
      const untouched = join(root, `look-${step}`);
      await cp(dataDir, untouched, { recursive: true });
      const sessions = await sessionsOf(untouched);
      const isFormer = JSON.stringify(sessions) === JSON.stringify([early, late].sort());
      const isRestored = JSON.stringify(sessions) === JSON.stringify([early]);
      expect(
        sessions === null || isFormer || isRestored,
        `after step ${step}: ${JSON.stringify(sessions)}`,
      ).toBe(true);
      states.push(sessions === null ? 'refused' : isFormer ? 'former' : 'restored');
      if (end.signal === null) {
        expect(end).toMatchObject({ status: 0, stderr: '' });
        break;
      }
      const again = await restore(dataDir);
      expect({ status: again.status, stderr: again.stderr }).toEqual({ status: 0, stderr: '' });
      expect(await sessionsOf(dataDir)).toEqual([early]);
      const kept = await digestsIn(dataDir);
      for (const one of former) expect(kept, `done again after step ${step}`).toContain(one);
    }
    expect(states.length).toBeGreaterThan(5);
    expect(new Set(states)).toEqual(new Set(['former', 'refused', 'restored']));
  });

  it('is for the folder of no running server', async () => {
    const dataDir = await copyOfKilled();
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const end = await restore(dataDir);
    expect(end).toMatchObject({ status: 2, stdout: '' });
    expect(end.stderr).toMatch(/in use by another mochi-server/);
    expect((await server.get(`/sessions/${late}`)).status).toBe(200);
    await server.kill('SIGTERM');
  });

  it('brings a database back that is gone, and one that is damaged', async () => {
    const gone = await copyOfKilled();
    for (const name of ['mochi.db', 'mochi.db-wal', 'mochi.db-shm']) await rm(join(gone, name));
    const end = await restore(gone);
    expect(end).toMatchObject({ status: 0, stderr: '' });
    expect(end.stdout).not.toContain('kept');
    expect(await sessionsOf(gone)).toEqual([early]);

    const damaged = await copyOfKilled();
    await writeFile(join(damaged, 'mochi.db'), 'Dear diary,\n'.repeat(1000));
    expect(await sessionsOf(damaged)).toBeNull();
    expect((await restore(damaged)).status).toBe(0);
    expect(await sessionsOf(damaged)).toEqual([early]);

    const empty = join(root, 'empty');
    expect((await restore(empty)).status).toBe(0);
    expect(await sessionsOf(empty)).toEqual([early]);
  });

  it('refuses what is no sound backup, and changes nothing', async () => {
    const dataDir = await copyOfKilled();
    const before = await digestsIn(dataDir);
    const at = (name: string) => join(root, name);
    await writeFile(at('text.db'), 'Dear diary,\n'.repeat(1000));
    await writeFile(at('nothing.db'), '');
    await writeFile(at('damaged.db'), (await readFile(backup)).fill('noise', 20_000, 30_000));
    await copyFile(backup, at('newer.db'));
    const newer = new SqliteDriver(at('newer.db'));
    newer.exec("insert into kysely_migration values ('999_of_the_future', 'later')");
    newer.close();
    const foreign = new SqliteDriver(at('foreign.db'));
    foreign.exec('create table messages (id)');
    foreign.close();
    await mkdir(at('folder.db'));
    const cases: [string, RegExp][] = [
      [at('missing.db'), /There is no file/],
      [at('folder.db'), /is no file/],
      [at('text.db'), /damaged or no backup/],
      [at('nothing.db'), /damaged or no backup/],
      [at('damaged.db'), /damaged or no backup/],
      [at('newer.db'), /newer mochi-server/],
      [at('foreign.db'), /another program/],
      [join(dataDir, 'mochi.db'), /is the database itself/],
    ];
    for (const [file, hint] of cases) {
      const end = await restore(dataDir, file);
      expect(end).toMatchObject({ status: 2, stdout: '' });
      expect(end.stderr).toMatch(/^mochi-server: .*\n$/);
      expect(end.stderr).toMatch(hint);
    }
    const full = await runCommand(['restore', backup], { env: { MOCHI_DATA_DIR: dataDir }, maxFileKiB: 40 });
    expect(full).toMatchObject({ status: 1, stdout: '' });
    expect(full.stderr).toMatch(/could not be copied/);
    expect(await digestsIn(dataDir)).toEqual(before);
    expect(await sessionsOf(dataDir)).toEqual([early, late].sort());
  });
});
