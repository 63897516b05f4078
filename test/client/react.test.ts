// The hooks for React, with React itself in a real browser, in front of a real server; and the example of docs/clients.md.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'rolldown';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMochi } from '../../src/client/index.ts';
import { useMochiChat, useMochiSessions } from '../../src/client/react.ts';
import { findBrowser, openBrowser } from '../support/browser.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from '../turns/behave.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const docs = await readFile(join(root, 'docs/clients.md'), 'utf8');
const example = /^```jsx\n([^]*?)^```$/m.exec(docs)?.[1] ?? '';

/** Components that the test mounts and unmounts. */
const PARTS = `
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createMochi } from '@mochi-server/client';
import { useMochiChat, useMochiSessions } from '@mochi-server/client/react';

const mochi = createMochi({ baseUrl: 'http://localhost:8000' });
const sessionId = new URL(location.href).searchParams.get('session');

function Chat({ name }) {
  const { messages, isAnswering, ...chat } = useMochiChat({ mochi, sessionId });
  window[name] = chat;
  return <ol id={name} data-answering={isAnswering}>
    {messages.map(({ id, role, content, state }) => <li key={id}>{role + ': ' + content + ' [' + state + ']'}</li>)}
  </ol>;
}
function Titles() {
  const { sessions, hasMore, loadMore } = useMochiSessions({ mochi, pageSize: 2 });
  window.list = { loadMore };
  return <ul data-more={hasMore}>{sessions?.map(({ session_id: id, title }) => <li key={id}>{title ?? id}</li>)}</ul>;
}
function App() {
  const [shown, show] = useState([]);
  window.show = show;
  return shown.map((name) => name === 'list' ? <Titles key={name} /> : <Chat key={name} name={name} />);
}
createRoot(document.querySelector('#root')).render(<StrictMode><App /></StrictMode>);
`;

const hasBrowser = (await findBrowser()) !== null;
if (!hasBrowser)
  console.warn('The hooks are NOT tested: there is no browser (MOCHI_TEST_BROWSER names one).');

describe.skipIf(!hasBrowser)('hooks for React', () => {
  let server: TestServer;
  let browser: Browser | null;
  let pages: Server;
  let folder: string;
  let page: Page;
  const asked: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mochi-react-'));
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    server.ollama.setDefault(behave);
    const scripts = new Map([
      ['/example.js', await bundled('example', example)],
      ['/parts.js', await bundled('parts', PARTS)],
    ]);
    pages = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://page');
      const script = scripts.get(pathname);
      const html = `<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="${pathname}.js"></script>`;
      response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
      response.end(script ?? html);
    });
    await new Promise<void>((listening) => pages.listen(0, '127.0.0.1', listening));
  });
  afterAll(async () => {
    await Promise.all([server?.close(), browser?.close(), rm(folder, { recursive: true })]);
    pages?.close();
  });
  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  /** As an application has it, in development, where React looks for what is wrong. */
  async function bundled(name: string, code: string): Promise<string> {
    const entry = join(folder, `${name}.jsx`);
    await writeFile(entry, code.replace('http://localhost:8000', server.url));
    const { output } = await build({
      cwd: root,
      input: entry,
      write: false,
      resolve: {
        alias: {
          '@mochi-server/client/react': join(root, 'src/client/react.ts'),
          '@mochi-server/client': join(root, 'src/client/index.ts'),
          'react-dom': join(root, 'node_modules/react-dom'),
          react: join(root, 'node_modules/react'),
        },
      },
      transform: { define: { 'process.env.NODE_ENV': '"development"' }, jsx: 'react-jsx' },
      output: { format: 'esm' },
    });
    return output[0].code;
  }

  async function open(path: string): Promise<void> {
    if (browser === null) throw new Error('There is no browser.');
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    asked.length = 0;
    page.on('request', (request) => {
      if (request.method() === 'GET') asked.push(new URL(request.url()).pathname);
    });
    await page.clock.install();
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}${path}`);
  }
  const show = (...names: string[]) => page.evaluate(`window.show(${JSON.stringify(names)})`);
  const lines = (list = '#one') => page.locator(`${list} li`).allInnerTexts();
  const reads = (what: string) => asked.filter((path) => path.endsWith(what)).length;
  const stateOf = async (turnId: string) => (await server.get(`/turns/${turnId}`)).body.state;

  it('the example asks, shows the answer as it is written, goes on after a reload, and stops', async () => {
    await open('/example');
    const say = async (text: string) => {
      await page.locator('input').fill(text);
      await page.locator('input').press('Enter');
    };
    await say('Hello');
    await expect.poll(() => page.locator('p').allInnerTexts()).toEqual(['Hello', 'Fine.']);
    await say('hang 3');
    await expect.poll(() => page.locator('p').last().innerText()).toBe(spoken(3).trim());
    await page.reload();
    await expect.poll(() => page.locator('p').last().innerText()).toBe(spoken(3).trim());
    await page.getByText('Stop').click();
    await expect.poll(() => page.locator('p').last().innerText()).toBe(`${spoken(3)}(not finished)`);
    await page.getByText('Send').waitFor();
    expect(await page.locator('p.user').allInnerTexts()).toEqual(['Hello', 'hang 3']);
  });

  it('share what was read, under StrictMode and with others, and leave the turn when they go', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello' });
    await open(`/parts?session=${sessionId}`);
    await expect.poll(() => page.evaluate('typeof window.show')).toBe('function');
    await show('one', 'two');
    const known = ['user: Hello [complete]', 'assistant: Fine. [complete]'];
    await expect.poll(() => lines('#one')).toEqual(known);
    await expect.poll(() => lines('#two')).toEqual(known);
    expect([reads('/status'), reads('/messages'), reads('/events')]).toEqual([1, 1, 1]);

    await page.evaluate(`void window.one.send('hang 2')`);
    await expect
      .poll(() => lines())
      .toEqual([...known, 'user: hang 2 [complete]', `assistant: ${spoken(2).trim()} [writing]`]);
    const { turns } = (await server.get(`/sessions/${sessionId}/turns`)).body;
    const turnId = turns[0].turn_id;
    const before = [reads('/status'), reads('/events')];
    // Away and back at once.
    await show();
    await show('one');
    await expect.poll(() => lines()).toHaveLength(4);
    expect([reads('/status'), reads('/events')]).toEqual(before);
    // Away for longer.
    await show();
    await page.clock.fastForward(6000);
    await show('one');
    await expect.poll(() => lines()).toHaveLength(4);
    await expect.poll(() => page.locator('#one').getAttribute('data-answering')).toBe('true');
    expect([reads('/status'), reads('/events')]).toEqual(before.map((count) => count + 1));
    expect(await stateOf(turnId)).toBe('running');
    await page.evaluate('window.one.stop()');
    await expect.poll(() => stateOf(turnId)).toBe('cancelled');
    await expect.poll(async () => (await lines()).at(-1)).toBe(`assistant: ${spoken(2).trim()} [partial]`);

    // Said elsewhere.
    await server.chat(sessionId, { message: 'And now?' });
    await expect.poll(async () => (await lines()).slice(-2)).toEqual(['user: And now? [complete]', known[1]]);
  });

  it('list the conversations, page by page, as they change', async () => {
    const ids: string[] = [];
    for (const title of ['first', 'second', 'third']) ids.push(await server.createSession({ title }));
    await open(`/parts?session=${ids[0]}`);
    await expect.poll(() => page.evaluate('typeof window.show')).toBe('function');
    await show('list');
    await expect.poll(() => lines('ul')).toEqual(['third', 'second']);
    await page.evaluate('window.list.loadMore()');
    await expect.poll(async () => (await lines('ul')).slice(0, 3)).toEqual(['third', 'second', 'first']);
    await server.createSession({ title: 'fourth' });
    await expect.poll(async () => (await lines('ul')).slice(0, 2)).toEqual(['fourth', 'third']);
    await createMochi({ baseUrl: server.url }).sessions.delete(ids[2] ?? '');
    await expect.poll(async () => (await lines('ul')).slice(0, 2)).toEqual(['fourth', 'second']);
  });
});

it('a server that renders asks for nothing', async () => {
  const [react, dom]: any[] = await Promise.all(['react', 'react-dom/server'].map((name) => import(name)));
  const mochi = createMochi({ fetch: () => Promise.reject(new Error('Nobody asked.')) });
  const Shown = () => {
    const { messages, isAnswering } = useMochiChat({ mochi, sessionId: 's' });
    const { sessions } = useMochiSessions({ mochi });
    return JSON.stringify({ messages, isAnswering, sessions });
  };
  const html = dom.renderToString(react.createElement(Shown)).replaceAll('&quot;', '"');
  expect(JSON.parse(html)).toEqual({ messages: [], isAnswering: false, sessions: null });
});
