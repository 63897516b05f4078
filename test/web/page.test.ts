// The page in a real browser, in front of the real server: what people do with it, and what may go wrong meanwhile.
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { HOSTILE } from './hostile.ts';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();
const { open, composer, answers, said, stop, say, textsOf, importAnswer, expectComplaints } = world;

describePage('the page', () => {
  it('begins a conversation with the first message, and the address names it', async () => {
    await open();
    await say('What is the capital of France?');
    await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
    expect(world.page.url()).toMatch(/#\/s\/[0-9a-f]{10}$/);
    await expect.poll(() => world.page.locator('.sidebar .list a').count()).toBeGreaterThan(0);
    await expect.poll(() => composer().inputValue()).toBe('');
  });

  it('begins one conversation, however often Enter is pressed while it begins', async () => {
    await open();
    await world.page.route('**/api/v1/sessions', async (route) => {
      if (route.request().method() === 'POST') await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    const count = async () => (await world.server.get('/sessions?limit=1000')).body.sessions.length;
    const before = await count();
    await composer().fill('Once, please.');
    await composer().press('Enter');
    await composer().press('Enter');
    await expect.poll(() => answers().count()).toBe(1);
    expect([await count(), await said().allInnerTexts()]).toEqual([before + 1, ['Once, please.']]);
  });

  it('shows the same answer after a reload in its middle, and one message', async () => {
    const id = await world.server.createSession({ model: 'slow' });
    await open(id);
    await say('Count.');
    await world.page.getByText('t0 t1').waitFor();
    await world.page.reload();
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
    const id = await world.server.createSession({ model: 'slow' });
    await open(id);
    await say('Count.');
    await world.page.getByText('t0 t1').waitFor();
    await stop().click();
    await world.page.getByText('Stopped by you').waitFor();
    // Who comes later is told the same.
    await world.page.reload();
    await world.page.getByText('Stopped by you').waitFor();
    const part = (await textsOf(id))[1]?.[1] ?? '';
    expect(part).toMatch(/^t0 t1/);
    expect(await answers().allInnerTexts()).toEqual([part.trim()]);
    await world.page.getByRole('button', { name: 'Continue' }).click();
    await stop().waitFor();
    await stop().waitFor({ state: 'detached' });
    await expect.poll(() => answers().count()).toBe(2);
    // It is one answer, of one model, and nothing of it is cut any more.
    await expect.poll(() => world.page.locator('.row.answer .who').count()).toBe(1);
    await expect.poll(() => world.page.locator('.cut').count()).toBe(0);
    await expect
      .poll(() => world.page.getByRole('button', { name: 'Answer again', exact: true }).count())
      .toBe(1);
  });

  it('says what went wrong, and can answer again', async () => {
    const id = await world.server.createSession({ model: 'mid-error' });
    await open(id);
    await say('Fail.');
    await world.page.getByRole('alert').filter({ hasText: 'unexpected EOF' }).waitFor();
    await world.page.getByText('Partial answer').waitFor();
    const fault = world.page.locator('.row.answer').getByRole('alert');
    expect(await fault.innerText()).toContain('The model broke off with an error.');
    const deeds = await world.page.locator('.row.answer .deeds').boundingBox();
    expect((await fault.boundingBox())?.y).toBeLessThan(deeds?.y ?? 0);
    expect(await world.page.getByRole('alert').count()).toBe(1);
  });

  it('keeps a draft over a reload and a look at another conversation', async () => {
    const [one, other] = [await world.server.createSession(), await world.server.createSession()];
    await open(one);
    await composer().fill('half a tho');
    await world.page.goto(`${world.server.url}/#/s/${other}`);
    await expect.poll(() => composer().inputValue()).toBe('');
    await composer().fill('for the other');
    await world.page.reload();
    await expect.poll(() => composer().inputValue()).toBe('for the other');
    await world.page.goto(`${world.server.url}/#/s/${one}`);
    await expect.poll(() => composer().inputValue()).toBe('half a tho');
  });

  it('sends nothing while an input method chooses a word', async () => {
    const id = await world.server.createSession();
    await open(id);
    await composer().focus();
    const devtools = await world.context.newCDPSession(world.page);
    await devtools.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
    await composer().dispatchEvent('keydown', { key: 'Enter', keyCode: 229, isComposing: true });
    await devtools.send('Input.insertText', { text: '日本' });
    expect(await composer().inputValue()).toBe('日本');
    expect(await textsOf(id)).toEqual([]);
  });

  it('calls a conversation without a title by its first words, wherever it names it', async () => {
    const words = 'Where do wombats sleep at noon?';
    const id = await world.server.createSession();
    await world.server.chat(id, { message: words });
    for (let at = 0; at < 52; at += 1) await world.server.createSession({ title: `Newer ${at}` });
    await open(id);
    const heading = world.page.getByRole('heading', { level: 1 });
    await expect.poll(() => heading.innerText()).toBe(words);
    await expect.poll(() => world.page.title()).toBe(`${words} · mochi`);
    expect(await world.page.locator('.sidebar').getByText(words).count()).toBe(0);
    await world.page.keyboard.press('Control+k');
    await world.page.getByRole('searchbox').waitFor();
    await world.page.keyboard.type('wombats');
    await world.page.locator('.hits strong').getByText(words).waitFor();
    await world.page.keyboard.press('Escape');
    await world.page.getByRole('button', { name: 'Rename' }).click();
    expect(await world.page.getByRole('textbox', { name: 'Rename' }).inputValue()).toBe(words);
  });

  it('keeps the whole list of conversations, though an answer comes that was asked for before there was more', async () => {
    await Promise.all(Array.from({ length: 60 }, () => world.server.createSession({ title: 'One of many' })));
    const id = await world.server.createSession({ title: 'Before' });
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    let lists = 0;
    await open(null, {
      onPage: (page) =>
        page.route(/\/api\/v1\/sessions\?limit=50$/, async (route) => {
          const isSecond = (lists += 1) === 2;
          const response = await route.fetch();
          if (isSecond) await held;
          await route.fulfill({ response });
        }),
    });
    const items = world.page.locator('.sidebar .list a');
    await expect.poll(() => items.count()).toBe(50);
    await expect.poll(() => lists).toBe(2);
    await world.page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => items.count()).toBeGreaterThan(50);
    const shown = await items.count();
    await world.server.request('PATCH', `/sessions/${id}`, { title: 'After' });
    letGo();
    await world.page.locator('.sidebar').getByText('After').waitFor();
    expect(await items.count()).toBe(shown);
  });

  it('says in a word that the window is full', async () => {
    const id = await world.server.createSession();
    await world.server.chat(id, { message: 'Once' });
    await open(id, {
      onPage: (page) =>
        page.route('**/status', async (route) => {
          const body = await (await route.fetch()).json();
          await route.fulfill({
            json: { ...body, context: { ...body.context, prompt_tokens: body.context.window } },
          });
        }),
    });
    const gauge = world.page.locator('button.gauge');
    await gauge.getByText('full').waitFor();
  });

  it('brings what is sent into view, wherever one was, and leads back to the end', async () => {
    const id = await importAnswer('A line.\n\n'.repeat(80));
    await open(id, { viewport: { width: 600, height: 480 } });
    await answers().first().waitFor();
    const scroller = world.page.locator('.scroller');
    const fromEnd = () =>
      scroller.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
    const toEnd = world.page.getByRole('button', { name: 'To the end' });
    expect(await toEnd.count()).toBe(0);
    const goUp = async () => {
      await scroller.hover();
      await world.page.mouse.wheel(0, -900);
      await toEnd.waitFor();
    };
    await goUp();
    await toEnd.click();
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
    await toEnd.waitFor({ state: 'detached' });
    await goUp();
    await say('Here I am.');
    await said().filter({ hasText: 'Here I am.' }).waitFor();
    await expect.poll(() => answers().count()).toBe(2);
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
    expect(await toEnd.count()).toBe(0);
  });

  it('follows the text only where it was left at the end', async () => {
    const id = await world.server.createSession({ model: 'endless' });
    await open(id, { viewport: { width: 600, height: 320 } });
    await say('A question with\n'.repeat(30));
    await world.page.getByText('t0 t1').waitFor();
    const scroller = world.page.locator('.scroller');
    const fromEnd = () =>
      scroller.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
    await scroller.hover();
    await world.page.mouse.wheel(0, -120);
    await world.page.getByRole('button', { name: 'New text below' }).waitFor();
    const top = () => scroller.evaluate((element) => element.scrollTop);
    const before = await top();
    const length = () => answers().last().innerText();
    const seen = (await length()).length;
    await expect.poll(async () => (await length()).length).toBeGreaterThan(seen + 40);
    expect(await top()).toBe(before);
    await world.page.getByRole('button', { name: 'New text below' }).click();
    await expect.poll(fromEnd).toBeLessThanOrEqual(8);
    await stop().click();
    await stop().waitFor({ state: 'detached' });
  });

  it('shows the receipt of an answer as the server has it', async () => {
    const id = await world.server.createSession();
    await open(id);
    await say('Hello');
    await answers().first().waitFor();
    await stop().waitFor({ state: 'detached' });
    const { body } = await world.server.get(`/sessions/${id}/status`);
    const receipt = body.context;
    await world.page.locator('.row.answer').getByRole('button', { name: 'What the model was sent' }).click();
    const shown = await world.page.locator('dl.receipt').innerText();
    expect(shown).toContain(`${new Intl.NumberFormat('en-US').format(receipt.window)} tokens`);
    expect(shown).toContain(`${receipt.prompt_tokens} tokens`);
    expect(shown).toContain('1 message');
  });

  it.each([
    ['the browser', (dialog: any) => dialog.close()],
    ['its button', (dialog: any) => dialog.querySelector('button').click()],
  ])(
    'shows what is opened again at once, though it hears only then that %s has closed it',
    async (_, close) => {
      const id = await world.server.createSession();
      await open(id);
      await say('Hello');
      await stop().waitFor({ state: 'detached' });
      await world.page.locator('button.gauge').click();
      await world.page.locator('dl.receipt').waitFor();
      await world.page.evaluate(`(async () => {
      const dialog = document.querySelector('dialog');
      const told = new Promise((resolve) => dialog.addEventListener('close', resolve));
      (${String(close)})(dialog);
      // Drawn, where it has heard of it.
      await null;
      document.querySelector('button.gauge').click();
      await told;
    })()`);
      await world.page.locator('dialog[open] dl.receipt').waitFor();
      await world.page.keyboard.press('Escape');
      await world.page.locator('dialog').waitFor({ state: 'detached' });
    },
  );

  it('asks anew beside what was said, and goes back and forth between both', async () => {
    const id = await world.server.createSession();
    await open(id);
    await say('First');
    await stop().waitFor({ state: 'detached' });
    await said().hover();
    await world.page.locator('.row.user').getByRole('button', { name: 'Edit' }).click();
    await world.page.getByRole('textbox', { name: 'Edit' }).fill('Second');
    await world.page.getByRole('button', { name: 'Send edited' }).click();
    await expect.poll(() => said().allInnerTexts()).toEqual(['Second']);
    await world.page.locator('.row.user').getByText('2 / 2').waitFor();
    await expect.poll(() => answers().count()).toBe(1);
    await world.page.locator('.row.answer').getByRole('button', { name: 'Answer again' }).click();
    await world.page.locator('.row.answer').getByText('2 / 2').waitFor();
    await world.page.locator('.row.user').getByRole('button', { name: 'Earlier version' }).click();
    await expect.poll(() => said().allInnerTexts()).toEqual(['First']);
    const { body } = await world.server.get(`/sessions/${id}/tree`);
    expect(body.messages.map(({ role }: { role: string }) => role).sort()).toEqual([
      'assistant',
      'assistant',
      'assistant',
      'user',
      'user',
    ]);
  });

  it('shows in one tab what is done in another', async () => {
    const id = await world.server.createSession();
    await open(id);
    const other = await world.context.newPage();
    await other.goto(`${world.server.url}/#/s/${id}`);
    await other.getByRole('textbox', { name: 'Write a message' }).fill('From over there');
    await other.keyboard.press('Enter');
    await expect.poll(() => said().allInnerTexts()).toEqual(['From over there']);
    await expect.poll(() => answers().count()).toBe(1);
    await world.server.request('PATCH', `/sessions/${id}`, { title: 'Renamed elsewhere' });
    await world.page.locator('.sidebar').getByText('Renamed elsewhere').waitFor();
  });

  it('asks before a tool runs, once, and shows what came of it', async () => {
    const id = await world.server.toolSession(['add_numbers'], {
      model: 'early-tool',
      tool_settings: { execution_policy: 'always_confirm' },
    });
    await open(id);
    await say('Add.');
    await world.page.getByText('May this run?').waitFor();
    await expect.poll(() => world.page.title()).toMatch(/^\(1\)/);
    await expect.poll(() => world.page.locator('details.tool').innerText()).toMatch(/add_numbers\s+waits/);
    await world.page.reload();
    await world.page.getByRole('button', { name: 'Approve once' }).click();
    await world.page.getByText('The tool answered:').waitFor();
    await world.page.setViewportSize({ width: 390, height: 700 });
    const overflow =
      '[...document.querySelectorAll(".head, .foot, .scroller")].filter((e) => e.scrollWidth > e.clientWidth || e.getBoundingClientRect().right > innerWidth).length';
    expect(await world.page.evaluate(overflow)).toBe(0);
    await world.page.setViewportSize({ width: 1280, height: 720 });
    await world.page.locator('details.tool summary').click();
    await expect.poll(() => world.page.locator('details.tool').innerText()).toMatch(/add_numbers\s+done/);
    await expect.poll(() => world.page.getByText('May this run?').count()).toBe(0);
  });

  it('takes a no with its reason to the model', async () => {
    const id = await world.server.toolSession(['add_numbers'], {
      model: 'early-tool',
      tool_settings: { execution_policy: 'always_confirm' },
    });
    await open(id);
    await say('Add.');
    await world.page.getByRole('button', { name: 'Deny' }).click();
    await world.page.getByLabel('Why not?').fill('Too many numbers');
    await world.page.getByRole('button', { name: 'Deny' }).click();
    await answers().filter({ hasText: 'was denied by user: Too many numbers' }).waitFor();
  });

  it('asks for the key of a server that wants one, and goes on', async () => {
    await world.server.restart({ apiKeys: ['a-key-of-sixteen-characters'] });
    expectComplaints(/401|CONNECTION_REFUSED/);
    try {
      await open();
      await world.page.getByLabel('API key').fill('wrong');
      await world.page.getByRole('button', { name: 'Open' }).click();
      await world.page.getByText('This key is not accepted.').waitFor();
      await world.page.getByLabel('API key').fill('a-key-of-sixteen-characters');
      await world.page.getByRole('button', { name: 'Open' }).click();
      await world.page.getByLabel('API key').waitFor({ state: 'detached' });
      await say('Hello');
      await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
      expect(world.page.url()).not.toContain('sixteen');
    } finally {
      await world.context.close();
      await world.server.restart({ apiKeys: [] });
    }
  });

  it('draws whatever a model writes, and runs, loads and follows none of it', async () => {
    const id = await importAnswer(HOSTILE.join('\n\n'));
    await open(id);
    await world.page.getByText('the end of it').waitFor();
    const found = await world.page.locator('.markdown').evaluate((markdown) => ({
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
    await world.page.locator('.markdown .code').waitFor();
    const shown = await world.page.locator('.markdown').evaluate((markdown) => ({
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
    await world.page.locator('.markdown .code').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await world.page.emulateMedia({ colorScheme });
      for (const width of [390, 820, 1400]) {
        await world.page.setViewportSize({ width, height: 800 });
        expect(await faults(), `${colorScheme} ${width}`).toEqual([]);
        expect(await world.page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
          width,
        );
      }
    }
    await world.page.keyboard.press('Control+k');
    await world.page.getByRole('searchbox').fill('seven');
    await world.page.getByRole('link', { name: /seven/ }).first().waitFor();
    expect(await faults()).toEqual([]);
    await world.page.keyboard.press('Escape');
    await world.page.getByRole('searchbox').waitFor({ state: 'detached' });
    await world.page.keyboard.press('Control+Shift+o');
    await world.page.getByText('What is on your mind?').waitFor();
    expect(await faults()).toEqual([]);
  });

  it('has dialogs that are read and used without a mouse, in both themes', async () => {
    const id = await world.server.createSession();
    await world.server.chat(id, { message: 'First' });
    const [first] = await world.server.messages(id);
    await world.server.chat(id, { message: 'Second', replaces: first.message_id });
    await world.server.post('/system-prompts', { filename: 'brief.md', content: 'Be brief.' });
    await open(id);
    await composer().fill('What would it be?');
    const press = (name: string) => world.page.getByRole('button', { name, exact: true }).click();
    const branches = async () => {
      await press('More');
      await world.page.getByRole('menuitem', { name: 'Branches…' }).click();
    };
    const opened: Readonly<Record<string, [() => Promise<void>, string]>> = {
      options: [() => press('How it is sent'), 'label'],
      preview: [() => press('What would be sent'), 'pre'],
      prompts: [() => press('Prompts'), '.prompts li'],
      models: [() => press('Models'), '.models li'],
      import: [() => press('Import'), 'button:not(.quiet), input'],
      branches: [branches, '.tree li'],
      settings: [() => press('Settings'), '.choice'],
      keys: [() => press('Settings').then(() => press('Keys')), 'kbd'],
    };
    for (const [name, [openIt, content]] of Object.entries(opened)) {
      await openIt();
      await world.page.locator(`dialog ${content}`).first().waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await world.page.emulateMedia({ colorScheme });
        expect(await faults(), `${name} ${colorScheme}`).toEqual([]);
      }
      await world.page.keyboard.press('Escape');
      await world.page.locator('dialog').waitFor({ state: 'detached' });
    }
  });

  it('copies where the browser has no clipboard for pages without TLS', async () => {
    await world.server.restart({ allowedHosts: ['lan.test'] });
    // Without TLS the browser has no use for it, and says so.
    expectComplaints(/Opener-Policy/);
    try {
      const id = await importAnswer('Copy **this**.');
      await open(id, { address: world.server.url.replace('127.0.0.1', 'lan.test') });
      expect(await world.page.evaluate('isSecureContext')).toBe(false);
      await world.page.locator('.row.answer').getByRole('button', { name: 'Copy' }).click();
      await world.page.getByText('Copied').waitFor();
      await composer().focus();
      await world.page.keyboard.press('Control+v');
      await expect.poll(() => composer().inputValue()).toBe('Copy **this**.');
      await say('Hello');
      await expect.poll(() => answers().count()).toBe(2);
    } finally {
      await world.context.close();
      await world.server.restart({ allowedHosts: [] });
    }
  });

  it('works behind a proxy that puts it under a path: an answer comes, and the next address is under it, too', async () => {
    const proxy = createServer((incoming, outgoing) => {
      const { url = '/', method, headers } = incoming;
      if (!url.startsWith('/chat/')) {
        outgoing.writeHead(404).end();
        return;
      }
      const target = new URL(world.server.url);
      const asked = request(
        {
          host: target.hostname,
          port: target.port,
          path: url.slice('/chat'.length),
          method,
          headers: { ...headers, host: target.host },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      asked.on('error', () => outgoing.destroy());
      outgoing.on('close', () => asked.destroy());
      incoming.pipe(asked);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    try {
      const address = `http://127.0.0.1:${port}/chat`;
      await open(null, { address });
      await say('Hello');
      await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
      expect(world.page.url()).toMatch(/\/chat\/#\/s\/[0-9a-f]{10}$/);
      await world.page.reload();
      await expect.poll(() => answers().count()).toBe(1);
      await world.page.getByRole('button', { name: 'Settings' }).click();
      await world.page.getByRole('dialog').waitFor();
    } finally {
      await world.context.close();
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What stands in the way of people who see, hear or point otherwise (WCAG 2.2 AA). */
async function faults(): Promise<string[]> {
  await world.page.evaluate(AXE);
  return world.page.evaluate(async () => {
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
