// useChat of the AI SDK in a real browser, on a page of another origin that knows this server's address and nothing else.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, thinking } from '../fake-ollama/chat-script.ts';
import { cutAfter, pauseAfter, script } from '../fake-ollama/script-modifiers.ts';
import { findBrowser, openBrowser } from '../support/browser.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectSaid } from './read-everywhere.ts';

const hasBrowser = (await findBrowser()) !== null;
if (!hasBrowser) console.warn('useChat is NOT tested: there is no browser (MOCHI_TEST_BROWSER names one).');

let server: TestServer;
let site: Server;
let browser: Browser | null;
beforeAll(async () => {
  if (!hasBrowser) return;
  server = await startTestServer();
  const code = await bundlePage();
  site = createServer(({ url }, response) => {
    const isCode = url === '/page.js';
    response.setHeader('content-type', isCode ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(
      isCode ? code : '<!doctype html><div id=root></div><script type=module src=/page.js></script>',
    );
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  browser = await openBrowser();
});
afterAll(async () => {
  await Promise.all([browser?.close(), server?.close()]);
  site?.close();
});

async function bundlePage(): Promise<string> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('../fixtures/ai-sdk-page/page.mjs', import.meta.url)),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    checks: { pluginTimings: false },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  return output[0].code;
}

async function open(id: string): Promise<Page> {
  if (browser === null) throw new Error('There is no browser.');
  const page = await browser.newPage();
  const { port } = site.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/#${encodeURIComponent(`${server.url}/ai/chat`)},${id}`);
  return page;
}

async function say(page: Page, words: string): Promise<void> {
  await page.locator('input').fill(words);
  await page.getByRole('button', { name: 'Send' }).click();
}

const said = async (page: Page): Promise<string[]> =>
  page.locator('p').evaluateAll((messages) =>
    messages.map((message) => {
      const texts = [...message.querySelectorAll('[data-part=text]')].map((part) => part.textContent);
      return `${message.getAttribute('data-role')}: ${texts.join('|')}`;
    }),
  );
const isSaid = (page: Page, ...messages: string[]) =>
  expect.poll(() => said(page), { timeout: 15_000 }).toEqual(messages);
const isReady = (page: Page) =>
  expect.poll(() => page.locator('output').textContent(), { timeout: 15_000 }).toBe('ready');

describe.skipIf(!hasBrowser)('useChat', () => {
  it('goes on with an answer after a reload in its middle, and says all of it once', async () => {
    const page = await open('app:reload');
    server.ollama.reply(
      script(thinking(['A town.'], ['Par', 'is', '.']), pauseAfter(2, 3000)),
      text('Berlin.'),
    );
    await say(page, 'The capital of France?');
    await isSaid(page, 'user: The capital of France?', 'assistant: Par');
    await page.reload();
    await isSaid(page, 'user: The capital of France?', 'assistant: Paris.');
    await isReady(page);
    expect(await page.locator('[data-part=reasoning]').allTextContents()).toEqual(['A town.']);
    await say(page, 'And of Germany?');
    const all = [
      'user: The capital of France?',
      'assistant: Paris.',
      'user: And of Germany?',
      'assistant: Berlin.',
    ];
    await isSaid(page, ...all);
    await isReady(page);
    await page.reload();
    await isSaid(page, ...all);
    await expectSaid(server, 'app:reload', [
      ['user', 'The capital of France?'],
      ['assistant', 'Paris.'],
      ['user', 'And of Germany?'],
      ['assistant', 'Berlin.'],
    ]);
  });

  it('answers anew, and keeps the answer before', async () => {
    const page = await open('app:anew');
    server.ollama.reply(text('one'), text('two'));
    await say(page, 'A number?');
    await isSaid(page, 'user: A number?', 'assistant: one');
    await isReady(page);
    await page.getByRole('button', { name: 'Again' }).click();
    await isSaid(page, 'user: A number?', 'assistant: two');
    await isReady(page);
    await page.reload();
    await isSaid(page, 'user: A number?', 'assistant: two');
  });

  it('says in words what went wrong', async () => {
    const page = await open('app:wrong');
    server.ollama.reply(script(text('Par', 'is.'), cutAfter(1)));
    await say(page, 'The capital of France?');
    await expect.poll(() => page.locator('pre').textContent(), { timeout: 15_000 }).toMatch(/ended early/);
    await isSaid(page, 'user: The capital of France?', 'assistant: Par');
  });
});
