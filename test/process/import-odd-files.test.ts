// Import folders hold anything: pipes, devices, links without end, huge files, other encodings. Each is told in one
// line, and the rest goes on, for the command as at a first start.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionLines } from '../support/session-lines.ts';
import { runCommand, spawnServer } from '../support/spawned-server.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/original-sessions/server-1.4.json', import.meta.url));

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mochi-odd-files-'));
  folder = join(root, 'data', 'chat_sessions');
  await mkdir(join(folder, 'folder.json'), { recursive: true });
  await mkdir(join(root, 'empty'));
  const file = (name: string) => join(folder, name);
  const text = await readFile(FIXTURE, 'utf8');
  const named = (id: string, word: string) =>
    text.replaceAll('b5a3d7e4c9', id).replaceAll('Add 2', `Add ${word}`);

  execFileSync('mkfifo', [file('pipe.json'), file('pipe.jsonl')]);
  await symlink('/dev/zero', file('device.json'));
  await symlink('loop.json', file('loop.json'));
  await symlink('nowhere.json', file('dangling.json'));
  await writeFile(file('latin1.json'), Buffer.from(named('latin', 'zwölf'), 'latin1'));
  await writeFile(
    file('latin1.jsonl'),
    Buffer.from(sessionLines({ id: 'l', messages: 2, content: () => 'ö' }), 'latin1'),
  );
  await writeFile(file('half.json'), named('half', '\\ud83c'));
  for (const name of ['huge.json', 'huge.jsonl']) {
    const huge = await open(file(name), 'w');
    await huge.truncate(600 * 1024 * 1024);
    await huge.close();
  }
  await writeFile(file('notes.txt'), 'no session');
  await writeFile(file('UPPER.JSON'), named('upper', 'one'));
  await writeFile(file('lines.ndjson'), sessionLines({ id: 'lines', messages: 3 }));
  await writeFile(file('windows.json'), Buffer.from(`\uFEFF${named('windows', 'zwölf')}`, 'utf16le'));
  await writeFile(file('zuletzt.json'), named('zuletzt', 'two'));
});
afterAll(() => rm(root, { recursive: true }));

const EXPECTED: readonly [string, RegExp][] = [
  ['UPPER.JSON', /^imported as session upper /],
  ['dangling.json', /^not imported: cannot be read \(ENOENT\)$/],
  ['device.json', /^not imported: no regular file$/],
  ['folder.json', /^not imported: it is a folder/],
  ['half.json', /^not imported: .*half of a surrogate pair/],
  ['huge.json', /^not imported: larger than 128 MiB/],
  ['huge.jsonl', /^not imported: line 1: is too long$/],
  ['latin1.json', /^not imported: neither UTF-8 nor UTF-16 with its mark$/],
  ['latin1.jsonl', /^not imported: line 2: is not UTF-8$/],
  ['lines.ndjson', /^imported as session lines /],
  ['loop.json', /^not imported: cannot be read \(ELOOP\)$/],
  ['notes.txt', /^not imported: its name ends in none of/],
  ['pipe.json', /^not imported: no regular file$/],
  ['pipe.jsonl', /^not imported: no regular file$/],
  ['windows.json', /^imported as session windows /],
  ['zuletzt.json', /^imported as session zuletzt /],
];

describe('odd files in an import folder', () => {
  it('are told line by line by the command, and the rest is imported', async () => {
    const dataDir = join(root, 'other');
    const end = await runCommand(['import', folder], { env: { MOCHI_DATA_DIR: dataDir } });
    expect([end.status, end.stderr]).toEqual([1, '']);
    const lines = end.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(EXPECTED.length);
    for (const [index, [name, outcome]] of EXPECTED.entries()) {
      const [path, ...rest] = lines[index]?.split(': ') ?? [];
      expect([path, rest.join(': ')]).toEqual([join(folder, name), expect.stringMatching(outcome)]);
    }
  }, 60_000);

  it('an empty folder is told, and what nobody takes for a session does not fail the command', async () => {
    const env = { MOCHI_DATA_DIR: join(root, 'other') };
    const empty = await runCommand(['import', join(root, 'empty')], { env });
    expect([empty.status, empty.stdout]).toEqual([
      1,
      `${join(root, 'empty')}: not imported: the folder is empty\n`,
    ]);
    await writeFile(join(root, 'empty', 'notes.txt'), 'no session');
    const notes = await runCommand(['import', join(root, 'empty')], { env });
    expect(notes.status).toBe(0);
    expect(notes.stdout).toMatch(/notes\.txt: not imported: its name ends in none of/);
  }, 60_000);

  it('do not keep a first start from serving', async () => {
    const server = await spawnServer({ dataDir: join(root, 'data'), ollamaHost: 'http://127.0.0.1:9' });
    try {
      const { sessions } = (await server.get('/sessions')).body;
      expect(sessions.map((session: any) => session.session_id).toSorted()).toEqual([
        'lines',
        'upper',
        'windows',
        'zuletzt',
      ]);
      const { messages } = (await server.get('/sessions/windows')).body;
      expect(JSON.stringify(messages)).toContain('Add zwölf');
    } finally {
      await server.kill('SIGKILL');
    }
  }, 60_000);
});
