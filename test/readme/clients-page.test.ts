// The examples of docs/clients.md, as they stand there, with the package as it is published.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleClient } from '../../scripts/bundle-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from '../turns/behave.ts';

const page = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const [ask = '', inPage = '', withStore = ''] = Array.from(
  page.matchAll(/^```js\n([^]*?)^```$/gm),
  ([, code = '']) => code,
);

/** What the page of a browser has of what the example asks for. */
const BROWSER = `
const stored = new Map(JSON.parse(process.env.STORED ?? '[]'));
globalThis.localStorage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, String(value)),
};
const elements = { '#ask': { elements: { message: { value: process.env.MESSAGE } } }, '#answer': {}, '#stop': {} };
globalThis.document = { querySelector: (name) => elements[name] };
globalThis.page = { elements, stored };
`;

/** The user types a question; the page is left when the answer has grown, or goes on to its end. */
const TYPED = `
const { elements, stored } = globalThis.page;
const done = elements['#ask'].onsubmit({ preventDefault() {} });
if (process.env.LEAVES) {
  while ((elements['#answer'].textContent ?? '').length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
} else await done;
console.log(JSON.stringify({ text: elements['#answer'].textContent, stored: [...stored] }));
process.exit();
`;
const OPENED = `
const { elements, stored } = globalThis.page;
console.log(JSON.stringify({ text: elements['#answer'].textContent, stored: [...stored] }));
`;

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
  folder = await mkdtemp(join(tmpdir(), 'mochi-clients-page-'));
  const installed = join(folder, 'node_modules', '@mochi-server', 'client');
  await mkdir(installed, { recursive: true });
  await cp(
    fileURLToPath(new URL('../../packages/client/package.json', import.meta.url)),
    join(installed, 'package.json'),
  );
  await bundleClient({ folder: join(installed, 'dist'), isMinified: false });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function run(name: string, code: string, env: Record<string, string> = {}, args: string[] = []) {
  await writeFile(join(folder, name), code);
  const child = spawn(process.execPath, [name, ...args], { cwd: folder, env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [status] = await once(child, 'close');
  return { status, ...output };
}

/** The page in a browser, and then what its user does. */
async function openPage(then: string, env: Record<string, string>) {
  await writeFile(join(folder, 'browser.mjs'), BROWSER);
  await writeFile(join(folder, 'page.mjs'), inPage.replace('http://localhost:8000', server.url));
  const { stdout, stderr } = await run(
    'user.mjs',
    `import './browser.mjs';\nimport './page.mjs';\n${then}`,
    env,
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('docs/clients.md', () => {
  it('shows a script that answers', async () => {
    const env = { MOCHI_URL: server.url };
    const fine = await run('ask.mjs', ask, env, ['Hello']);
    expect(fine).toMatchObject({ status: 0, stdout: 'Fine.\n' });
    expect(fine.stderr).toMatch(/^\d+ \+ \d+ of 8192 tokens\n$/);
    const failed = await run('ask.mjs', ask, env, ['fail 2']);
    expect(failed).toMatchObject({ status: 1, stdout: spoken(2) });
    expect(failed.stderr).toMatch(/^ollama_error: .*the model broke\n$/);
  });

  it('shows a page whose answer goes on after a reload', async () => {
    const before = await openPage(TYPED, { MESSAGE: 'pace 200', LEAVES: 'yes' });
    expect(spoken(200).startsWith(before.text)).toBe(true);
    const after = await openPage(OPENED, { STORED: JSON.stringify(before.stored) });
    expect(after.text).toBe(spoken(200));
    const [, session = ''] = after.stored.find(([name]: [string]) => name === 'session');
    expect(await server.messages(session)).toHaveLength(2);
    const more = await openPage(TYPED, {
      MESSAGE: 'Hello',
      STORED: JSON.stringify([['session', session]]),
    });
    expect(more.text).toBe('Fine.');
    expect(await server.messages(session)).toHaveLength(4);
  });

  it('and the README of the package show a first answer', async () => {
    const readme = await readFile(new URL('../../packages/client/README.md', import.meta.url), 'utf8');
    const [, example = ''] = /^```js\n([^]*?)^```$/m.exec(readme) ?? [];
    const code = example.replace('http://127.0.0.1:8000', server.url);
    expect(await run('first.mjs', code)).toEqual({ status: 0, stdout: 'Fine.', stderr: '' });
  });

  it('shows a store', async () => {
    const sessionId = await server.createSession();
    const [imports = ''] = withStore.split('\n\n', 1);
    const code = `${imports}
const sessionId = '${sessionId}';
const draw = () => undefined;
${withStore.slice(imports.length).replace('createMochi()', `createMochi({ baseUrl: '${server.url}' })`)}
console.log([...store.getState().rows.values()].map(({ role }) => role).join(' '));
store.close();
`;
    expect(await run('store.mjs', code)).toEqual({ status: 0, stdout: 'user assistant\n', stderr: '' });
  });
});
