// Whatever the program makes is for its user alone, also where new files are for all.
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelsFolder } from '../../src/engines/embedded/models-folder.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { runCommand, spawnServer } from '../support/spawned-server.ts';

describe('for its user alone', { timeout: 120_000 }, () => {
  let ollama: FakeOllama;
  let root: string;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    root = await mkdtemp(join(tmpdir(), 'mochi-private-'));
  });
  afterAll(async () => {
    await ollama.close();
    await rm(root, { recursive: true });
  });

  /** What others may do anything with. */
  async function openToOthers(): Promise<string[]> {
    const entries = await readdir(root, { withFileTypes: true, recursive: true });
    const paths = entries.map((entry) => join(entry.parentPath, entry.name));
    const modes = await Promise.all(paths.map(async (path) => ({ path, mode: (await stat(path)).mode })));
    expect(modes.length).toBeGreaterThan(0);
    return modes
      .filter(({ mode }) => (mode & 0o077) !== 0)
      .map(({ path, mode }) => `${relative(root, path)} ${(mode & 0o777).toString(8)}`);
  }

  it('are database, log, lock, prompts, exports, backups and what a restore keeps', async () => {
    const dataDir = join(root, 'new', 'data');
    const options = { dataDir, ollamaHost: ollama.url, umask: '000' };
    const server = await spawnServer(options);
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'A secret' });
    expect((await server.post('/system-prompts', { filename: 'secret.md', content: 'Hush.' })).status).toBe(
      201,
    );
    const run = (...args: string[]) => runCommand(args, { env: { MOCHI_DATA_DIR: dataDir }, umask: '000' });
    for (const args of [
      ['export', join(root, 'exported', 'below')],
      ['backup', join(root, 'new', 'backup.db')],
    ]) {
      expect(await run(...args)).toMatchObject({ status: 0, stderr: '' });
    }
    expect(await readdir(dataDir)).toEqual(
      expect.arrayContaining(['mochi.db', 'mochi.db-wal', 'mochi.db-shm', 'mochi.lock', 'system_prompts']),
    );
    expect(await openToOthers()).toEqual([]);
    await server.kill('SIGKILL');
    expect(await run('restore', join(root, 'new', 'backup.db'))).toMatchObject({ status: 0, stderr: '' });
    const again = await spawnServer(options);
    expect(await openToOthers()).toEqual([]);
    await again.kill('SIGTERM');
  });

  it('is the folder of models', async () => {
    const folder = join(root, 'models');
    await openModelsFolder(folder).place('smollm');
    expect((await stat(folder)).mode & 0o077).toBe(0);
  });

  it('not what somebody has opened to others: a prompt that is changed keeps its rights', async () => {
    const dataDir = join(root, 'shared');
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    await server.post('/system-prompts', { filename: 'shared.md', content: 'Hello.' });
    const file = join(dataDir, 'system_prompts', 'shared.md');
    await chmod(file, 0o640);
    expect(
      (await server.request('PUT', '/system-prompts/shared.md', { content: 'Hello, all.' })).status,
    ).toBe(200);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    await server.kill('SIGTERM');
    await chmod(join(dataDir, 'mochi.db'), 0o644);
    const { stdout } = await runCommand(['doctor'], { env: { MOCHI_DATA_DIR: dataDir } });
    expect(stdout).toMatch(/other users of this machine may read it/);
    expect(stdout).toMatch(/chmod 600 .*mochi\.db/);
    await writeFile(file, '');
  });
});
