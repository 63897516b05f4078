// The database removed, replaced or truncated under a running server: nothing is acknowledged that would be lost.
import { copyFile, mkdtemp, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { runCommand, type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

describe('a server whose database is', { timeout: 120_000 }, () => {
  let ollama: FakeOllama;
  let root: string;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    root = await mkdtemp(join(tmpdir(), 'mochi-lost-'));
  });
  afterAll(async () => {
    await ollama.close();
    await rm(root, { recursive: true });
  });

  async function startServer(): Promise<{ server: SpawnedServer; file: string; sessionId: string }> {
    const dataDir = await mkdtemp(join(root, 'data-'));
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Before' });
    expect((await server.get('/readyz')).status).toBe(200);
    return { server, file: join(dataDir, 'mochi.db'), sessionId };
  }

  const lost = (reason: string) => ({
    status: 503,
    body: { detail: { error: { code: 'storage_lost', details: { reason } } } },
  });

  /** Refuses all that writes, says so, goes on reading. */
  async function expectLost(
    { server, sessionId }: { server: SpawnedServer; sessionId: string },
    reason: string,
  ) {
    expect(await server.post('/sessions', {})).toMatchObject(lost(reason));
    expect(await server.post(`/chat/${sessionId}`, { message: 'After' })).toMatchObject(lost(reason));
    expect(await server.get('/readyz')).toMatchObject(lost(reason));
    expect((await server.get('/livez')).status).toBe(200);
    await server.printed('stderr', /database is not where it was/);
  }

  it.each([
    ['removed', (file: string) => rm(file)],
    ['removed', (file: string) => rm(`${file}-wal`)],
    [
      'replaced',
      async (file: string) => {
        await copyFile(file, `${file}.copy`);
        await rename(`${file}.copy`, file);
      },
    ],
  ] as const)('%s (%#): refuses, saves what it held, and that can be restored', async (reason, damage) => {
    const { server, file, sessionId } = await startServer();
    await damage(file);
    await expectLost({ server, sessionId }, reason);
    expect((await server.messages(sessionId)).length).toBe(2);
    expect(await server.get(`/sessions/${sessionId}/export`)).toMatchObject(lost(reason));
    const [, rescued = ''] = await server.printed('stderr', /"file":"([^"]+)"/);
    await server.kill('SIGKILL');

    const env = { MOCHI_DATA_DIR: server.dataDir };
    const end = await runCommand(['restore', rescued], { env });
    expect({ status: end.status, stderr: end.stderr }).toEqual({ status: 0, stderr: '' });
    const next = await spawnServer({ dataDir: server.dataDir, ollamaHost: ollama.url });
    expect((await next.messages(sessionId)).length).toBe(2);
    await next.kill('SIGTERM');
  });

  it('truncated: refuses', async () => {
    for (const keep of [0, 8192]) {
      const { server, file, sessionId } = await startServer();
      const driver = new SqliteDriver(file);
      driver.pragma('wal_checkpoint(PASSIVE)');
      driver.close();
      // Seen at its full size.
      await expect.poll(async () => (await server.get('/readyz')).status).toBe(200);
      expect((await stat(file)).size).toBeGreaterThan(8192);
      await truncate(file, keep);
      await expectLost({ server, sessionId }, 'truncated');
      await server.kill('SIGKILL');
    }
  });

  it('made smaller by VACUUM: goes on', async () => {
    const { server, file, sessionId } = await startServer();
    const driver = new SqliteDriver(file);
    driver.exec("insert into meta values ('large', zeroblob(1000000))");
    driver.pragma('wal_checkpoint(PASSIVE)');
    const { size } = await stat(file);
    expect((await server.get('/readyz')).status).toBe(200);
    driver.exec("delete from meta where key = 'large'; vacuum");
    driver.pragma('wal_checkpoint(PASSIVE)');
    driver.close();
    expect((await stat(file)).size).toBeLessThan(size);
    expect((await server.get('/readyz')).status).toBe(200);
    await server.chat(sessionId, { message: 'After' });
    await server.kill('SIGTERM');
    expect(await readdir(server.dataDir)).not.toContain('mochi.db-wal');
  });

  it('moved away and back: goes on', async () => {
    const { server, file, sessionId } = await startServer();
    await rename(file, `${file}.away`);
    expect((await server.post('/sessions', {})).status).toBe(503);
    await rename(`${file}.away`, file);
    expect((await server.get('/readyz')).status).toBe(200);
    await server.chat(sessionId, { message: 'After' });
    await server.kill('SIGKILL');
    const next = await spawnServer({ dataDir: server.dataDir, ollamaHost: ollama.url });
    expect((await next.messages(sessionId)).length).toBe(4);
    await next.kill('SIGTERM');
  });
});
