// A program that has no file descriptor left: tools cannot start, and that is all.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const support = new URL('../support/tool-groups.ts', import.meta.url).href;
const program = `
import { closeSync, openSync } from 'node:fs';
import { openToolWorld } from ${JSON.stringify(support)};
const world = openToolWorld({
  'n/index.mjs': 'export const t = { description: "T", execute: () => 1 };',
  'p/__init__.py': 'def t():\\n  """T."""\\n  return 1\\n',
});
const taken = [];
try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
const said = [];
for (const group of ['n', 'p']) said.push((await world.describe(group)).problems[0]?.message);
for (const one of taken) closeSync(one);
await world.describe('n');
said.push((await world.run('n', 't')).text);
await world.close();
console.log(JSON.stringify(said));`;

it.skipIf(process.platform === 'win32')(
  'without descriptors tools say so, and start when there are some',
  () => {
    const args = [
      '-c',
      'ulimit -n 100; exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      program,
    ];
    const { stdout, stderr, status } = spawnSync('sh', args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const full = 'the server has too many files open';
    expect(JSON.parse(stdout)).toEqual([full, full, '1']);
  },
);
