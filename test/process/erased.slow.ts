// What was deleted is gone from every file, soon after.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { runCommand, type SpawnedServer, spawnServer } from '../support/spawned-server.ts';

/** A word that nothing else has; the index keeps only what differs from the word before it. */
const newWord = () => Array.from(randomBytes(16), (byte) => String.fromCharCode(97 + (byte % 26))).join('');
const tailOf = (word: string) => word.slice(5);

describe('deleted text', { timeout: 120_000 }, () => {
  let ollama: FakeOllama;
  let root: string;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    root = await mkdtemp(join(tmpdir(), 'mochi-erased-'));
  });
  afterAll(async () => {
    await ollama.close();
    await rm(root, { recursive: true });
  });

  const start = async (dataDir?: string) =>
    spawnServer({ dataDir: dataDir ?? (await mkdtemp(join(root, 'data-'))), ollamaHost: ollama.url });

  /** Whose words are anywhere in these files. */
  function found(files: readonly string[], words: Iterable<string>): string[] {
    const bytes = files.filter((file) => existsSync(file)).map((file) => readFileSync(file));
    return [...words].filter((word) => bytes.some((one) => one.includes(tailOf(word))));
  }

  const databaseOf = ({ dataDir }: SpawnedServer) =>
    ['mochi.db', 'mochi.db-wal', 'mochi.db-shm'].map((name) => join(dataDir, name));

  /** @returns the words of each session, by its id */
  async function fill(server: SpawnedServer, count: number): Promise<Map<string, string>> {
    const words = new Map<string, string>();
    for (let index = 0; index < count; index += 1) {
      const word = newWord();
      const created = await server.post('/sessions', {
        model: 'llama3.2:latest',
        title: `About ${word}`,
        system_prompt: `You know ${word}.`,
        metadata: { note: word.repeat(1 + (index % 20)) },
      });
      words.set(created.body['session_id'] as string, word);
    }
    for (let round = 0; round < 3; round += 1) {
      for (const [id, word] of words) {
        await server.chat(id, { message: `${word} `.repeat(1 + ((round * 37) % 50)) });
        await server.request('PATCH', `/sessions/${id}`, { title: `Again ${word} `.repeat(1 + round * 3) });
      }
    }
    return words;
  }

  async function untilErased({ dataDir }: SpawnedServer): Promise<void> {
    const isDue = () => {
      const driver = new SqliteDriver(join(dataDir, 'mochi.db'), { readonly: true });
      try {
        return driver.prepare("select count(*) from meta where key = 'erase_due'").pluck().get();
      } finally {
        driver.close();
      }
    };
    await expect.poll(isDue, { timeout: 60_000, interval: 200 }).toBe(0);
  }

  const remove = async (server: SpawnedServer, ids: readonly string[]) => {
    for (const id of ids) expect((await server.request('DELETE', `/sessions/${id}`)).status).toBe(204);
  };

  it('is in no byte of database, log and index after a moment, nor in a backup made before that', async () => {
    const server = await start();
    const words = await fill(server, 24);
    const ids = [...words.keys()];
    const deleted = ids.filter((_, index) => index % 3 !== 0);
    const kept = ids.filter((_, index) => index % 3 === 0);
    const wordsOf = (some: readonly string[]) => some.map((id) => words.get(id) ?? '');
    expect(found(databaseOf(server), words.values())).toHaveLength(24);
    await remove(server, deleted);
    const backup = join(root, 'backup.db');
    expect((await runCommand(['backup', backup], { env: { MOCHI_DATA_DIR: server.dataDir } })).status).toBe(
      0,
    );
    expect(found([backup], wordsOf(deleted))).toEqual([]);
    expect(found([backup], wordsOf(kept))).toEqual(wordsOf(kept));

    await untilErased(server);
    await expect.poll(() => found(databaseOf(server), wordsOf(deleted)), { timeout: 20_000 }).toEqual([]);
    for (const id of kept) {
      const answer = await server.get(`/search?q=${words.get(id)}`);
      expect(answer.body['results'], 'what is kept is still found').not.toEqual([]);
    }
    // Again, when all of the index is in one piece.
    const [next = '', ...rest] = kept;
    await remove(server, [next]);
    await untilErased(server);
    await expect.poll(() => found(databaseOf(server), wordsOf([next])), { timeout: 20_000 }).toEqual([]);
    expect(found(databaseOf(server), wordsOf(rest))).toEqual(wordsOf(rest));
    expect((await server.get('/readyz')).status).toBe(200);
    await server.kill('SIGTERM');
    expect(faultsOf(await readStore(server.dataDir))).toEqual([]);
  });

  it('is erased after a kill, too', async () => {
    const server = await start();
    const words = await fill(server, 4);
    await remove(server, [...words.keys()].slice(0, 2));
    await server.kill('SIGKILL');
    const deleted = [...words.values()].slice(0, 2);
    expect(found(databaseOf(server), deleted)).toEqual(deleted);
    const next = await start(server.dataDir);
    await untilErased(next);
    await expect.poll(() => found(databaseOf(next), deleted), { timeout: 20_000 }).toEqual([]);
    await next.kill('SIGTERM');
  });

  it('is not called erased while somebody still reads it from the log', async () => {
    const server = await start();
    const words = await fill(server, 4);
    const [first = ''] = words.keys();
    const reader = new SqliteDriver(join(server.dataDir, 'mochi.db'), { readonly: true });
    reader.exec('begin');
    reader.prepare('select count(*) from messages').get();
    await remove(server, [first]);
    await server.printed('stderr', /somebody reads from the log/);
    expect(reader.prepare('select count(*) from session_rows where id = ?').pluck().get(first)).toBe(1);
    reader.close();
    await untilErased(server);
    expect(found(databaseOf(server), [words.get(first) ?? ''])).toEqual([]);
    await server.kill('SIGTERM');
  });

  it('is erased beside a client that goes on writing, which is never refused', async () => {
    const server = await start();
    const words = await fill(server, 4);
    const [first = '', second = ''] = words.keys();
    await remove(server, [first]);
    const states: string[] = [];
    const erased = untilErased(server).then(() => states.push('erased'));
    for (let turn = 0; states.length === 0; turn += 1) {
      await server.request('PATCH', `/sessions/${second}`, { metadata: { at: Date.now() } });
      expect((await server.get('/readyz')).status).toBe(200);
      // Now and then it rests for long enough that something can begin, which it then meets.
      await setTimeout([20, 50, 200, 5000][turn % 4]);
    }
    await erased;
    await expect
      .poll(() => found(databaseOf(server), [words.get(first) ?? '']), { timeout: 20_000 })
      .toEqual([]);
    await server.kill('SIGTERM');
  });
});
