// The texts of the phases: built in, or the operator's, and what is wrong with those.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXECUTION_PROMPT, planningPrompt, readPhasePrompts } from './phase-prompts.ts';

const TOOLS = [
  { name: 'count', description: 'Count lines.\nOf any file.' },
  { name: 'read', description: `  ${'x'.repeat(300)}` },
];

describe('the prompts of the phases', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mochi-prompts-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text?: string | Buffer) => {
    const path = join(folder, name);
    if (text !== undefined) writeFileSync(path, text);
    return { path, mayBeMissing: false };
  };
  const read = (planning: ReturnType<typeof file>) =>
    readPhasePrompts({ planning, execution: { path: join(folder, 'none'), mayBeMissing: true } }, TOOLS);

  it('name the tools that there will be, a line each', () => {
    const lines = planningPrompt(TOOLS)
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(lines).toEqual(['- count: Count lines.', `- read: ${'x'.repeat(200)}`]);
  });

  it('are those of the files, read anew each time', async () => {
    const mine = file('mine.md', '\uFEFF Plan well. \n');
    expect(await read(mine)).toEqual({ planning: 'Plan well.', execution: EXECUTION_PROMPT, warnings: [] });
    file('mine.md', 'Plan better.');
    expect((await read(mine)).planning).toBe('Plan better.');
    const longest = 'ü'.repeat(20_000);
    expect((await read(file('long.md', longest))).planning).toBe(longest);
  });

  it.each([
    ['is missing', 'gone.md', undefined, /cannot be read \(ENOENT\)/],
    ['is blank', 'blank.md', ' \n\t', /is blank/],
    ['is too long', 'longer.md', 'x'.repeat(20_001), /is over 20000 characters/],
    ['is no text', 'latin.md', Buffer.from([0xff, 0xe9, 0x20]), /is no text/],
  ])('are built in where the file %s, and that is said', async (_what, name, text, warning) => {
    const { planning, warnings } = await read(file(name, text));
    expect(planning).toBe(planningPrompt(TOOLS));
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(warnings[0]).toMatch(/: the built-in text is used\.$/);
  });

  it('are built in where there is no file that could be read', async () => {
    const huge = file('huge.md', '');
    truncateSync(huge.path, 1024 ** 3);
    mkdirSync(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const place of [huge, file('folder'), file('pipe')]) {
      const { planning, warnings } = await read(place);
      expect([planning, warnings.length]).toEqual([planningPrompt(TOOLS), 1]);
    }
  });

  it('need no file where nobody named one', async () => {
    const usual = { path: join(folder, 'gone.md'), mayBeMissing: true };
    expect((await readPhasePrompts({ planning: usual, execution: usual }, TOOLS)).warnings).toEqual([]);
  });
});
