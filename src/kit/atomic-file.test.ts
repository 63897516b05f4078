import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AtomicFiles } from './atomic-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mochi-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const named = () => readdirSync(folder).filter((name) => !name.startsWith('.'));

it('gives many files their names at once, when all of them are whole', async () => {
  writeFileSync(join(folder, '7'), 'former');
  const files = new AtomicFiles('replace');
  for (let number = 0; number < 70; number += 1) {
    await files.write(join(folder, String(number)), (file) => file.writeFile(`text ${number}`));
  }
  expect([files.waiting, named(), readFileSync(join(folder, '7'), 'utf8')]).toEqual([70, ['7'], 'former']);
  await files.place();
  expect([files.waiting, readdirSync(folder).length]).toEqual([0, 70]);
  expect(readFileSync(join(folder, '7'), 'utf8')).toBe('text 7');
  expect(readFileSync(join(folder, '69'), 'utf8')).toBe('text 69');
});

it('leaves nothing of what could not be written, and what was there as it was', async () => {
  writeFileSync(join(folder, 'there'), 'former');
  const files = new AtomicFiles('replace');
  await files.write(join(folder, 'there'), (file) => file.writeFile('new'));
  await expect(
    files.write(join(folder, 'bad'), async () => {
      throw new Error('The disk is full.');
    }),
  ).rejects.toThrow('full');
  await files.discard();
  expect(readdirSync(folder)).toEqual(['there']);
  expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('former');
});

it('replaces nothing where it is to create: those before it have their names, the others are gone', async () => {
  writeFileSync(join(folder, 'b'), 'former');
  const files = new AtomicFiles('create');
  for (const name of ['a', 'b', 'c']) await files.write(join(folder, name), (file) => file.writeFile('new'));
  await expect(files.place()).rejects.toThrow('EEXIST');
  await files.discard();
  expect(readdirSync(folder).toSorted()).toEqual(['a', 'b']);
  expect(readFileSync(join(folder, 'b'), 'utf8')).toBe('former');
});
