// What docs/tools.md says of commands, sessions and rules, as it stands there.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const page = await readFile(new URL('../../docs/tools.md', import.meta.url), 'utf8');
const settings = JSON.parse(blockAfter('## What a session offers'));
const rules = blockAfter("## The operator's rules");

/** The first block after a text of the page. */
function blockAfter(place: string): string {
  const [, rest = ''] = page.split(place);
  const text = /^```\w+\n([\s\S]*?)^```$/m.exec(rest)?.[1];
  if (text === undefined) throw new Error(`the page has no block after ${place}`);
  return text;
}

/** Tools by the names that the rules speak of. */
const TOOLS = ['read_file', 'order', 'delete_all'].map(
  (name) =>
    `export const ${name} = { description: 'Does it.', inputSchema: { type: 'object' }, execute: () => 'done' };`,
);

describe('docs/tools.md', () => {
  let dataDir: string;
  let server: TestServer;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-tool-rules-'));
    await write('tools/shop/index.mts', blockAfter('`tools/shop/index.mts`'));
    await write('tools/more/index.mjs', TOOLS.join('\n'));
    await write('tool-policy.json', rules);
    server = await startTestServer({ dataDir });
  });
  afterAll(async () => {
    await server.close();
    await rm(dataDir, { recursive: true });
  });

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(dataDir, path)), { recursive: true });
    await writeFile(join(dataDir, path), text);
  }

  it('has commands that list the tools and run one', async () => {
    const main = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));
    const commands = /^```bash\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
    const script = commands.replaceAll('mochi-server', `"${process.execPath}" "${main}"`);
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      env: { PATH: process.env['PATH'], MOCHI_DATA_DIR: dataDir, MOCHI_PORT: '9' },
    });
    expect(stdout).toMatch(/^price {2,}native:shop .*Tell the price of an item\.$/m);
    expect(stdout).toMatch(/^delete_all {2,}native:more {2,}deny: delete_\* /m);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({ item: 'tea', euros: 3 });
  });

  it('has settings that a session takes', async () => {
    const { status, body } = await server.post('/sessions', settings);
    expect([status, body.tool_settings]).toEqual([201, settings.tool_settings]);
  });

  it('has rules that forbid what it says', async () => {
    const run = async (name: string, args: object) =>
      (await server.post(`/tools/${name}/run`, { arguments: args })).status;
    expect(await run('delete_all', {})).toBe(403);
    expect(await run('read_file', { path: '/etc/passwd' })).toBe(403);
    expect(await run('read_file', { path: '/data/a' })).toBe(200);
    expect(await run('order', { count: 12 })).toBe(200);
  });
});
