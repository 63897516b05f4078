// A page in a real browser, in front of a real server: what every test of the page begins with.
import type { Browser, BrowserContext, BrowserContextOptions, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { findBrowser, openBrowser } from '../support/browser.ts';
import { ADD, startToolServer } from '../support/server-with-tools.ts';
import type { TestServer } from '../support/test-server.ts';

const hasBrowser = (await findBrowser()) !== null;
if (!hasBrowser) console.warn('The page is NOT tested: there is no browser (MOCHI_TEST_BROWSER names one).');

export const describePage = describe.skipIf(!hasBrowser);

export interface OpenOptions extends BrowserContextOptions {
  /** Default: the server's. */
  readonly address?: string;
  /** Its time can be put forward. */
  readonly hasClock?: boolean;
  /** Before it is loaded. */
  readonly onPage?: (page: Page) => Promise<unknown>;
}

/** In front of a server with a tool and the programs of the fake. */
export function openedPage(start = () => startToolServer([ADD], { ollama: { programs: {} } })) {
  return openedPageOf(start);
}

/** One server and one browser for a file of tests; each test has a page of its own, which must not complain. */
export function openedPageOf<S extends TestServer>(start: () => Promise<S>) {
  let server: S;
  let browser: Browser | null = null;
  let context: BrowserContext;
  let page: Page;
  /** What the page complained of: it has no reason to. */
  const complaints: string[] = [];
  /** Of these it has one: what the browser says of a refusal or a server that is away. */
  let expected = /^$/;
  /** Addresses of other hosts that it asked. */
  const foreign: string[] = [];
  let imported = 0;
  /** Streams that are open, by tab. */
  const streams = new WeakMap<Page, Set<Request>>();

  beforeAll(async () => {
    if (!hasBrowser) return;
    [server, browser] = await Promise.all([start(), openBrowser()]);
  });

  afterAll(async () => {
    await Promise.all([server?.close(), browser?.close()]);
  });

  afterEach(async () => {
    await context?.close();
    expect(complaints.splice(0).filter((text) => !expected.test(text))).toEqual([]);
    expected = /^$/;
    expect(foreign.splice(0)).toEqual([]);
  });

  function listen(opened: Page, address: string): void {
    opened.setDefaultTimeout(20_000);
    const held = new Set<Request>();
    streams.set(opened, held);
    opened.on('requestfinished', (request) => held.delete(request));
    opened.on('requestfailed', (request) => held.delete(request));
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    opened.on('pageerror', (error) => complaints.push(error.message));
    opened.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    opened.on('request', (request) => {
      const { protocol, host, pathname, searchParams } = new URL(request.url());
      if (/\/(stream|events)$/.test(pathname) && searchParams.get('follow') !== 'false') held.add(request);
      if (protocol.startsWith('http') && host !== new URL(address).host) foreign.push(request.url());
    });
  }

  const composer = () => page.getByRole('textbox', { name: 'Write a message' });

  return {
    get server() {
      return server;
    },
    get context() {
      return context;
    },
    get page() {
      return page;
    },
    /** Of this test, what the browser may say. */
    expectComplaints(pattern: RegExp) {
      expected = pattern;
    },
    /** A browser of its own, nothing kept in it, at the conversation. */
    async open(
      sessionId: string | null = null,
      { address = server.url, hasClock = false, onPage, ...options }: OpenOptions = {},
    ) {
      if (browser === null) throw new Error('There is no browser.');
      context = await browser.newContext(options);
      if (hasClock) await context.clock.install();
      page = await context.newPage();
      listen(page, address);
      await onPage?.(page);
      await page.goto(placeOf(address, sessionId));
      await composer().waitFor();
    },
    /** Another tab of the same browser. */
    async openTab(sessionId: string | null = null, { address = server.url } = {}): Promise<Page> {
      const tab = await context.newPage();
      listen(tab, address);
      await tab.goto(placeOf(address, sessionId));
      await tab.getByRole('textbox', { name: 'Write a message' }).waitFor();
      return tab;
    },
    /** What a tab holds open, by the last word of its address. */
    streamsOf: (tab: Page): string[] =>
      [...(streams.get(tab) ?? [])]
        .map((request) => new URL(request.url()).pathname.replace(/^.*\//, ''))
        .sort(),
    composer,
    answers: () => page.locator('.row.answer .markdown'),
    said: () => page.locator('.row.user .said'),
    stop: () => page.getByRole('button', { name: 'Stop', exact: true }),
    async say(text: string) {
      await composer().fill(text);
      await composer().press('Enter');
    },
    /** What the server has. */
    async textsOf(sessionId: string): Promise<[string, string][]> {
      const messages = await server.messages(sessionId);
      return messages.map(({ role, content }) => [role, content]);
    },
    /** A session with one answer. @returns its id */
    async importAnswer(content: string): Promise<string> {
      const file = {
        metadata: { model: 'llama3.2:latest', title: 'Imported' },
        messages: [
          // Another one each time: what is there already is not imported.
          { role: 'user', content: `Show me number ${(imported += 1)}.`, message_id: 'aa00000001' },
          { role: 'assistant', content, model: 'llama3.2:latest', message_id: 'aa00000002' },
        ],
      };
      const { body } = await server.post('/sessions/import', file);
      return body.imported[0].session_id;
    },
  };
}

function placeOf(address: string, sessionId: string | null): string {
  return `${address}/${sessionId === null ? '' : `#/s/${sessionId}`}`;
}
