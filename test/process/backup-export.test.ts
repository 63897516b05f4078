// `mochi-server export` and `backup` beside a server that writes as fast as it can, and what they refuse.
import {
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { type ProcessEnd, runCommand, type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

describe('export and backup', { timeout: 120_000 }, () => {
  let ollama: FakeOllama;
  let folder: string;
  let dataDir: string;
  let server: SpawnedServer;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    folder = await mkdtemp(join(tmpdir(), 'mochi-backup-'));
    dataDir = join(folder, 'data');
    server = await spawnServer({ dataDir, ollamaHost: ollama.url });
  }, 60_000);
  afterAll(async () => {
    await server.kill('SIGKILL');
    await ollama.close();
    await rm(folder, { recursive: true });
  });

  const at = (...names: string[]) => join(folder, ...names);
  const run = (...args: string[]): Promise<ProcessEnd> =>
    runCommand(args, { env: { MOCHI_DATA_DIR: dataDir } });
  const jsonFiles = async (name: string) => (await readdir(at(name))).sort();

  it('work beside a server at full speed, each of one moment, and a server starts on the backup', async () => {
    const stop = new AbortController();
    const acknowledged = new Map<string, number>();
    const write = async () => {
      while (!stop.signal.aborted) {
        const id = await server.createSession({ system_prompt: 'Be brief.' });
        acknowledged.set(id, 0);
        for (let index = 1; index <= 3 && !stop.signal.aborted; index += 1) {
          await server.chat(id, { message: `Message ${index}` });
          acknowledged.set(id, index);
        }
      }
    };
    const writers = [write(), write(), write()];
    await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(5);
    const before = new Map(acknowledged);
    const ends = await Promise.all([
      run('backup', at('backup.db')),
      run('export', at('lines')),
      run('export', at('originals'), '--format', 'json'),
    ]);
    stop.abort();
    await Promise.all(writers);
    expect(ends).toMatchObject(ends.map(() => ({ status: 0, stderr: '' })));
    expect(acknowledged.size).toBeGreaterThan(before.size);

    // Whatever was acknowledged before is in all three.
    const lines = await jsonFiles('lines');
    const originals = await jsonFiles('originals');
    for (const id of before.keys()) {
      expect(lines).toContain(`${id}.jsonl`);
      expect(originals).toContain(`${id}.json`);
    }
    expect([...lines, ...originals].filter((name) => !/^[0-9a-f]{10}\.jsonl?$/.test(name))).toEqual([]);

    // One file, which opens as it is.
    expect((await readdir(folder)).filter((name) => /^backup\.db.|tmp$/.test(name))).toEqual([]);
    const restored = at('restored');
    await mkdir(restored);
    await copyFile(at('backup.db'), join(restored, 'mochi.db'));
    const second = await spawnServer({ dataDir: restored, ollamaHost: ollama.url });
    for (const [id, count] of before) {
      expect((await second.messages(id)).length).toBeGreaterThanOrEqual(1 + 2 * count);
    }
    expect(faultsOf(await readStore(restored))).toEqual([]);
    await second.chat([...before.keys()][0] ?? '', { message: 'And on.' });
    await second.kill('SIGTERM');
  });

  it('an export of all is imported by a new server whole, and gives the same files again', async () => {
    expect((await run('export', at('all'))).status).toBe(0);
    const other = at('other');
    const env = { MOCHI_DATA_DIR: other };
    const end = await runCommand(['import', at('all')], { env });
    expect({ status: end.status, stderr: end.stderr }).toEqual({ status: 0, stderr: '' });
    const names = await jsonFiles('all');
    expect(end.stdout.trimEnd().split('\n')).toHaveLength(names.length);
    const again = await runCommand(['export', at('again')], { env });
    expect(again).toMatchObject({
      status: 0,
      stdout: `${names.length} sessions exported to ${at('again')}\n`,
    });
    expect(await jsonFiles('again')).toEqual(names);
    for (const name of names) {
      expect(await readFile(at('again', name), 'utf8')).toBe(await readFile(at('all', name), 'utf8'));
    }
    const twice = await runCommand(['import', at('all', names[0] ?? ''), at('all')], { env });
    expect(twice.status).toBe(0);
    for (const line of twice.stdout.trimEnd().split('\n')) expect(line).toMatch(/already there as session/);
  });

  it('an import names the damaged line, takes the rest, and ends with 1', async () => {
    const [name = ''] = await jsonFiles('lines');
    const text = await readFile(at('lines', name), 'utf8');
    const damaged = at('damaged.jsonl');
    await writeFile(damaged, `${text.slice(0, text.lastIndexOf('{') + 20)}\n${text}`);
    await writeFile(at('empty.jsonl'), '');
    const env = { MOCHI_DATA_DIR: at('partly') };
    const end = await runCommand(['import', damaged, at('empty.jsonl'), at('missing.jsonl')], { env });
    expect([end.status, end.stderr]).toEqual([1, '']);
    expect(end.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/damaged\.jsonl: not imported: line \d+: is not JSON$/),
      expect.stringMatching(/damaged\.jsonl: imported as session /),
      expect.stringMatching(/empty\.jsonl: not imported: the file is empty$/),
      expect.stringMatching(/missing\.jsonl: not imported: cannot be read \(ENOENT\)$/),
    ]);
  });

  it('a backup never replaces anything unless told so, and never the database', async () => {
    const file = at('kept.db');
    await writeFile(file, 'mine');
    const refused = await run('backup', file);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^mochi-server: .*kept\.db is there already.*--force\.\n$/);
    expect(await readFile(file, 'utf8')).toBe('mine');
    const forced = await run('backup', file, '--force');
    expect({ status: forced.status, stderr: forced.stderr }).toEqual({ status: 0, stderr: '' });
    expect(forced.stdout).toMatch(/^backed up \d+ sessions? and \d+ messages? to .*kept\.db, checked\n$/);
    const driver = new SqliteDriver(file, { readonly: true });
    expect(driver.pragma('integrity_check', { simple: true })).toBe('ok');
    driver.close();

    await symlink(join(dataDir, 'mochi.db'), at('soft.db'));
    await link(join(dataDir, 'mochi.db'), at('hard.db'));
    const live = await stat(join(dataDir, 'mochi.db'));
    const own = [join(dataDir, 'mochi.db'), at('soft.db'), at('hard.db')];
    for (const end of await Promise.all(own.map((path) => run('backup', path, '--force')))) {
      expect(end).toMatchObject({ status: 2, stdout: '' });
      expect(end.stderr).toMatch(/belongs to the database itself/);
    }
    expect((await stat(join(dataDir, 'mochi.db'))).ino).toBe(live.ino);
    expect((await server.get('/sessions')).status).toBe(200);
    await rm(at('hard.db'));
  });

  it('refuse what cannot be meant, in one line', async () => {
    const cases: [string[], number, RegExp][] = [
      [['export', 'x', '--format', 'xml'], 2, /xml.*json, jsonl/],
      [['backup', '.'], 2, /is a folder/],
      [['backup', '/nowhere/x.db'], 2, /There is no folder \/nowhere/],
      [['export', 'package.json'], 1, /Cannot write/],
    ];
    const ends = await Promise.all(cases.map(([args]) => run(...args)));
    for (const [index, end] of ends.entries()) {
      const [, status, hint] = cases[index] ?? [];
      expect({ status: end.status, stdout: end.stdout }).toEqual({ status, stdout: '' });
      expect(end.stderr).toMatch(hint ?? '');
      expect(end.stderr).not.toMatch(/^\s+at /m);
    }
  });

  it('leave nothing behind on a full disk', async () => {
    const env = { MOCHI_DATA_DIR: dataDir };
    const [backup, exported] = await Promise.all([
      runCommand(['backup', at('full.db')], { env, maxFileKiB: 40 }),
      runCommand(['export', at('full')], { env, maxFileKiB: 1 }),
    ]);
    expect([backup.status, backup.stdout]).toEqual([1, '']);
    expect(backup.stderr).toMatch(/^mochi-server: .*could not be written.*\n$/);
    expect([exported.status, exported.stdout]).toEqual([1, '']);
    expect(exported.stderr).toMatch(/^mochi-server: Cannot write.*EFBIG.*\n$/);
    expect((await readdir(folder)).filter((name) => /^full\.db|tmp$/.test(name))).toEqual([]);
    expect(await readdir(at('full'))).toEqual([]);
  });

  it('refuse a data folder without a database, and make none', async () => {
    const env = { MOCHI_DATA_DIR: at('nothing') };
    for (const args of [
      ['export', at('out')],
      ['backup', at('out.db')],
    ]) {
      const end = await runCommand(args, { env });
      expect(end).toMatchObject({ status: 2, stdout: '' });
      expect(end.stderr).toMatch(/^mochi-server: There is no database in .*nothing \(--data-dir\)\.\n$/);
    }
    expect(await readdir(folder)).not.toContain('nothing');
  });

  /** A user whom the rights of files bind: root is bound by none. */
  const uid = process.getuid?.() === 0 ? 65_534 : undefined;

  it('work in a data folder that may not be written, and tell where they cannot', async () => {
    const closed = at('read-only');
    const killed = at('read-only-killed');
    for (const name of [closed, killed]) {
      const other = await spawnServer({ dataDir: name, ollamaHost: ollama.url });
      await other.createSession();
      await other.kill(name === closed ? 'SIGTERM' : 'SIGKILL');
    }
    await rm(join(killed, 'mochi.db-shm'));
    await mkdir(at('out-of-it'));
    await chmod(at('out-of-it'), 0o777);
    await chmod(folder, 0o755);
    for (const name of [closed, killed]) {
      for (const file of await readdir(name)) await chmod(join(name, file), 0o444);
      await chmod(name, 0o555);
    }
    const runIn = (dataDir: string, ...args: string[]) =>
      runCommand(args, { env: { MOCHI_DATA_DIR: dataDir }, uid });
    const before = await readdir(closed);
    const [backup, exported] = await Promise.all([
      runIn(closed, 'backup', at('out-of-it', 'backup.db')),
      runIn(closed, 'export', at('out-of-it', 'lines')),
    ]);
    expect(backup).toMatchObject({ status: 0, stderr: '' });
    expect(backup.stdout).toMatch(/^backed up 1 session and 0 messages /);
    expect(exported).toMatchObject({ status: 0, stderr: '' });
    expect(exported.stdout).toMatch(/^1 session exported/);
    expect(await readdir(closed)).toEqual(before);

    for (const args of [
      ['backup', at('out-of-it', 'killed.db')],
      ['export', at('out-of-it', 'killed')],
    ]) {
      const end = await runIn(killed, ...args);
      expect(end).toMatchObject({ status: 2, stdout: '' });
      expect(end.stderr).toMatch(/mochi\.db-wal.*read-only.*Copy both files/);
    }
    for (const name of [closed, killed]) {
      const start = await runIn(name, '--port', '0');
      expect(start).toMatchObject({ status: 2, stdout: '' });
      expect(start.stderr).toMatch(/may not be written to/);
    }
    await chmod(join(closed, 'mochi.db'), 0o000);
    const unreadable = await runIn(closed, 'backup', at('out-of-it', 'none.db'));
    expect(unreadable).toMatchObject({ status: 2, stdout: '' });
    expect(unreadable.stderr).toMatch(/this user may not read .*mochi\.db/);
    for (const name of [closed, killed]) await chmod(name, 0o755);
  });

  it('refuse a damaged database, and keep no copy of it', async () => {
    const broken = at('broken');
    await mkdir(broken);
    await writeFile(join(broken, 'mochi.db'), 'SQLite format 3\0'.padEnd(8192, 'x'));
    const env = { MOCHI_DATA_DIR: broken };
    for (const args of [
      ['export', at('out')],
      ['backup', at('out.db')],
    ]) {
      const end = await runCommand(args, { env });
      expect([1, 2]).toContain(end.status);
      expect(end.stderr).toMatch(/^mochi-server: .*\n$/);
    }
    expect((await readdir(folder)).filter((name) => /^out\.db|tmp$/.test(name))).toEqual([]);
  });
});
