// The tools for files on a real disk: what they do, and each way out of their folder that must stay shut.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { filesProblem } from '../../src/tools/builtin/files/files-folder.ts';
import { listFolder } from '../../src/tools/builtin/files/list-folder.ts';
import { readTextFile } from '../../src/tools/builtin/files/read-text-file.ts';
import { writeTextFile } from '../../src/tools/builtin/files/write-text-file.ts';
import { runnerOf } from '../support/run-builtin.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'mochi-files-')));
const filesDir = join(base, 'files');
const dataDir = join(base, 'data');
const outside = join(base, 'outside');
for (const folder of [filesDir, dataDir, outside]) mkdirSync(folder);
writeFileSync(join(outside, 'secret.txt'), 'SECRET');
writeFileSync(join(dataDir, 'mochi.db'), 'SECRET');
const options = { filesDir, dataDir, ownPaths: [join(dataDir, 'tools')], toolResultChars: 1000 };
const list = runnerOf(listFolder(options));
const read = runnerOf(readTextFile(options));
const write = runnerOf(writeTextFile(options));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A folder that is a link outside every other moment. */
const TURN = `
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
const [folder, outside] = process.argv.slice(1);
console.log('turning');
for (;;) {
  try {
    rmSync(folder, { recursive: true, force: true });
    symlinkSync(outside, folder);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(folder + '/secret.txt', 'inside');
  } catch {}
}`;

/** Nothing beyond the folder was read or changed. */
function expectNothingOutside(...outcomes: readonly { readonly text: string }[]): void {
  for (const { text } of outcomes) expect(text).not.toContain('SECRET');
  expect(readdirSync(outside)).toEqual(['secret.txt']);
  expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('SECRET');
  expect(readFileSync(join(dataDir, 'mochi.db'), 'utf8')).toBe('SECRET');
  expect(readdirSync(base).toSorted()).toEqual(['data', 'files', 'outside']);
}

describe('files', () => {
  it('are written, listed and read', async () => {
    expect(await write({ path: 'notes/a/today.txt', content: 'grüße\n' })).toMatchObject({
      state: 'succeeded',
      text: 'Wrote 8 bytes to notes/a/today.txt',
    });
    expect(await write({ path: 'notes/b.txt', content: '' })).toMatchObject({ state: 'succeeded' });
    symlinkSync('b.txt', join(filesDir, 'notes/c.txt'));
    expect(await list({ path: 'notes' })).toMatchObject({ text: 'a/\nb.txt (0 bytes)\nc.txt (link)' });
    expect(await list({ path: '.' })).toMatchObject({ text: 'notes/' });
    expect(await list({ path: join(filesDir, 'notes', 'a', '..') })).toMatchObject({ state: 'succeeded' });
    expect(await read({ path: './notes//a/today.txt' })).toMatchObject({ text: 'grüße\n' });
    // A link inside leads where it says, and stays one.
    expect(await write({ path: 'notes/c.txt', content: 'new' })).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(join(filesDir, 'notes/b.txt'), 'utf8')).toBe('new');
    expect(statSync(join(filesDir, 'notes/b.txt')).mode & 0o077).toBe(0);
    expect(readdirSync(join(filesDir, 'notes')).toSorted()).toEqual(['a', 'b.txt', 'c.txt']);
  });

  it('are read in pieces', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index + 1}\n`);
    writeFileSync(join(filesDir, 'long.txt'), lines.join(''));
    let text = '';
    for (let offset = 1, pieces = 0; ; pieces += 1) {
      expect(pieces).toBeLessThan(20);
      const outcome = await read({ path: 'long.txt', offset });
      expect(outcome.text.length).toBeLessThanOrEqual(1000);
      const next = /\[there is more: read on with offset (\d+)\]$/.exec(outcome.text);
      text += outcome.text.slice(0, next?.index);
      if (next === null) break;
      offset = Number(next[1]);
    }
    expect(text).toBe(lines.join(''));
    expect(await read({ path: 'long.txt', offset: 3, limit: 2 })).toMatchObject({
      text: 'line 3\nline 4\n[there is more: read on with offset 5]',
    });
    expect(await read({ path: 'long.txt', offset: 500, limit: 1 })).toMatchObject({ text: 'line 500\n' });
    expect(await read({ path: 'long.txt', offset: 502 })).toMatchObject({ state: 'failed' });
    writeFileSync(join(filesDir, 'wide.txt'), `${'é'.repeat(200_000)}\nend`);
    expect((await read({ path: 'wide.txt' })).text).toContain('Read on with offset 2]');
    expect(await read({ path: 'wide.txt', offset: 2 })).toMatchObject({ text: 'end' });
    writeFileSync(join(filesDir, 'utf16.txt'), Buffer.from('\uFEFFhällo', 'utf16le'));
    expect(await read({ path: 'utf16.txt' })).toMatchObject({ text: 'hällo' });
  });

  it('that are none, or are not there, are refused in words', async () => {
    writeFileSync(join(filesDir, 'binary'), Buffer.from([0x89, 0x50, 0, 1, 0xff]));
    execFileSync('mkfifo', [join(filesDir, 'pipe')]);
    const texts = await Promise.all([
      read({ path: 'binary' }),
      read({ path: 'pipe' }),
      write({ path: 'pipe', content: 'x' }),
      read({ path: 'notes' }),
      read({ path: '.' }),
      write({ path: 'notes', content: 'x' }),
      write({ path: 'new/', content: 'x' }),
      read({ path: 'no.txt' }),
      list({ path: 'no' }),
      list({ path: 'long.txt' }),
      write({ path: 'long.txt/x', content: 'x' }),
      read({ path: 'x'.repeat(400) }),
      read({ path: 'a\0b' }),
    ]);
    expect(texts.map(({ state, text }) => [state, text])).toEqual(
      [
        'It is no text file.',
        "'pipe' is no file.",
        "'pipe' is no file.",
        "'notes' is a folder",
        "'.' is a folder",
        "'notes' is no file.",
        "'new/' is a folder.",
        "'no.txt' is not there.",
        "'no' is not there.",
        "'long.txt' is not there: a part of the path is no folder.",
        'is not there: a part of the path is no folder',
        'has a name that is too long',
        'A path has no NUL in it.',
      ].map((words) => ['failed', expect.stringContaining(words)]),
    );
  });
});

describe('no way leads out', () => {
  it.each([
    '..',
    '../outside/secret.txt',
    'notes/../../outside/secret.txt',
    '/etc/passwd',
    join(outside, 'secret.txt'),
    `${filesDir}-other/x`,
    '../files-other',
    'to-file',
    'to-folder',
    'to-folder/secret.txt',
    'to-folder/new.txt',
    'to-root/etc/passwd',
    'twice/secret.txt',
    'nowhere',
    'circle',
    '/proc/self/environ',
  ])('by %s', async (path) => {
    for (const [name, target] of [
      ['to-file', join(outside, 'secret.txt')],
      ['to-folder', outside],
      ['to-root', '/'],
      ['twice', 'to-folder'],
      ['nowhere', join(outside, 'made.txt')],
      ['circle', 'circle'],
    ] as const) {
      rmSync(join(filesDir, name), { force: true });
      symlinkSync(target, join(filesDir, name));
    }
    const outcomes = [await read({ path }), await list({ path }), await write({ path, content: 'x' })];
    expect(outcomes.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
    expectNothingOutside(...outcomes);
  });

  it.skipIf(process.platform !== 'linux')('by links that come and go meanwhile', async () => {
    const turning = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      TURN,
      join(filesDir, 'turn'),
      outside,
    ]);
    await once(turning.stdout, 'data');
    for (let round = 0; round < 400; round += 1) {
      const outcomes = await Promise.all([
        read({ path: 'turn/secret.txt' }),
        list({ path: 'turn' }),
        write({ path: 'turn/deep/new.txt', content: 'x' }),
      ]);
      expectNothingOutside(...outcomes);
    }
    turning.kill();
    await once(turning, 'exit');
  });

  it('to what is the server’s own', async () => {
    expect(filesProblem({ ...options, filesDir: null })).toContain('MOCHI_FILES_DIR');
    for (const own of [dataDir, join(dataDir, 'tools'), join(dataDir, 'tools', 'x')]) {
      expect(filesProblem({ ...options, filesDir: own })).toContain('folder of the server itself');
    }
    expect(filesProblem({ ...options, filesDir: join(dataDir, 'files') })).toBeNull();
    const above = { ...options, filesDir: base };
    expect(filesProblem(above)).toBeNull();
    expect(await runnerOf(readTextFile(above))({ path: 'data/mochi.db' })).toMatchObject({
      state: 'failed',
      text: "'data/mochi.db' belongs to the server itself.",
    });
    expect(
      await runnerOf(writeTextFile(above))({ path: 'data/tools/x/index.mjs', content: '' }),
    ).toMatchObject({
      state: 'failed',
    });
    expect(existsSync(join(dataDir, 'tools'))).toBe(false);
    expect(await runnerOf(readTextFile(above))({ path: 'files/long.txt', limit: 1 })).toMatchObject({
      state: 'succeeded',
    });
  });
});
