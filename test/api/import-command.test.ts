// `mochi-server import`, as a process: what it says, how it ends, and that it doubles nothing.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessEnd, runCommand } from '../support/spawned-server.ts';
import { databaseFor, dropDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const fixtures = fileURLToPath(new URL('../fixtures/original-sessions', import.meta.url));

describe('mochi-server import', () => {
  let dataDir: string;
  /** Where the first start of a server looks, too. */
  let folder: string;
  let first: ProcessEnd;
  let server: TestServer;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-import-command-'));
    folder = join(dataDir, 'chat_sessions');
    await cp(fixtures, folder, { recursive: true });
    first = await runImport(folder);
    server = await startTestServer({ dataDir });
  });
  afterAll(async () => {
    await server.close();
    await dropDatabaseOf(dataDir);
    await rm(dataDir, { recursive: true });
  });

  const file = (name: string) => join(folder, name);
  const runImport = async (...paths: string[]): Promise<ProcessEnd> => {
    const database = await databaseFor(dataDir);
    return runCommand(['import', ...paths], {
      env: { MOCHI_DATA_DIR: dataDir, ...(database && { MOCHI_DATABASE_URL: database.url }) },
    });
  };
  const linesOf = ({ stdout }: ProcessEnd) => stdout.trimEnd().split('\n');
  const idIn = (line: string | undefined) =>
    /(?:imported as|already there as) session (.+?)(?: \(|$)/.exec(line ?? '')?.[1];

  async function change(name: string, from: string, to: string): Promise<string> {
    return (await readFile(file(name), 'utf8')).replace(from, to);
  }

  it('imports a folder, says one line per file, and ends with 1 because one is broken', () => {
    expect([first.status, first.stderr]).toEqual([1, '']);
    const lines = linesOf(first);
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => /: imported as session \w+ \(\d messages\)$/.test(line))).toHaveLength(8);
    expect(lines.filter((line) => /broken\.json: not imported: not JSON/.test(line))).toHaveLength(1);
  });

  it('a first start in the same folder finds all of them there', async () => {
    expect((await server.get('/sessions')).body.sessions).toHaveLength(8);
  });

  it('names what is no session, imports the rest, beside a running server that shows it at once', async () => {
    const other = await change('server-1.4.json', 'Add 2 and 3', 'Add 20 and 30');
    const { metadata, messages } = JSON.parse(await readFile(file('coco-1.0.json'), 'utf8'));
    const { session_id: _id, ...nameless } = metadata;
    const odd = 'chat of 1 May (copy), ü.json';
    await writeFile(file('other.json'), other);
    await writeFile(file(odd), JSON.stringify({ metadata: { ...nameless, model: 'tiny:latest' }, messages }));
    await writeFile(file('list.json'), '[1, 2]');
    await writeFile(file('empty.json'), '');

    const end = await runImport(...['other.json', odd, 'missing.json', 'list.json', 'empty.json'].map(file));
    expect([end.status, end.stderr]).toEqual([1, '']);
    const [otherLine, oddLine, ...refused] = linesOf(end);
    expect(refused).toEqual([
      expect.stringMatching(/missing\.json: not imported: .*ENOENT/),
      expect.stringMatching(/list\.json: not imported: the file is an array/),
      expect.stringMatching(/empty\.json: not imported: the file is empty/),
    ]);
    expect([otherLine, oddLine]).toEqual([
      expect.stringMatching(/ \(5 messages\)$/),
      expect.stringMatching(/ \(4 messages\)$/),
    ]);
    // Its own id belongs to another conversation.
    expect(idIn(otherLine)).toMatch(/^[0-9a-f]{10}$/);
    expect(idIn(otherLine)).not.toBe('b5a3d7e4c9');
    const opened = await server.get(`/sessions/${idIn(otherLine)}`);
    expect(opened.body.messages[1].content).toBe('Add 20 and 30');
    const kept = await server.get('/sessions/b5a3d7e4c9');
    expect(kept.body.messages[1].content).toBe('Add 2 and 3');
  });

  it('makes sessions that can be opened, whatever their file is called', async () => {
    const { sessions } = (await server.get('/sessions')).body;
    expect(sessions).toHaveLength(10);
    for (const { session_id: id, message_count: count } of sessions) {
      const opened = await server.get(`/sessions/${encodeURIComponent(id)}`);
      expect([id, opened.status, opened.body.messages?.length]).toEqual([id, 200, count]);
    }
  });

  it('imports the same again without doubling it, and ends with 0 when all can be read', async () => {
    for (const name of ['broken.json', 'list.json', 'empty.json']) await rm(file(name));
    const before = (await server.get('/sessions')).body;
    const end = await runImport(folder, file('server-1.4.json'));
    expect([end.status, end.stderr]).toEqual([0, '']);
    const lines = linesOf(end);
    expect(lines).toHaveLength(11);
    for (const line of lines) expect(line).toMatch(/: already there as session /);
    expect((await server.get('/sessions')).body).toEqual(before);
  });
});
