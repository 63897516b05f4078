// What goes wrong around the page: keys, full storage, what others delete, other versions, networks that hold back.
import { expect, it } from 'vitest';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();
const { open, openTab, answers, composer, said, say, expectComplaints } = world;

const KEY = 'a-key-of-sixteen-characters';
const OTHER = 'another-one-of-sixteen-characters';
const ANSWER = 'The capital of France is Paris.';
/** What the browser says of refusals, and of a server that is away. */
const REFUSED = /401|ERR_|Failed to load/;

const keyField = () => world.page.getByLabel('API key');

async function give(key: string): Promise<void> {
  await keyField().fill(key);
  await world.page.getByRole('button', { name: 'Open' }).click();
}

/** One that is accepted. */
async function giveRight(key: string): Promise<void> {
  await give(key);
  await keyField().waitFor({ state: 'detached' });
}

describePage('a key', () => {
  it('wrong, while the server is away, right: and the page goes on with what was to be done', async () => {
    await world.server.restart({ apiKeys: [KEY] });
    expectComplaints(REFUSED);
    const proxy = await startCuttingProxy(world.server.url);
    try {
      await open(null, { address: proxy.url });
      await world.page.keyboard.press('Escape');
      await world.page.keyboard.press('Escape');
      await give('wrong');
      await world.page.getByText('This key is not accepted.').waitFor();
      proxy.always(() => ({ refuses: true }));
      proxy.dropAll();
      await give(KEY);
      await world.page.getByText('The server does not answer. The key is still here').waitFor();
      proxy.plan();
      await world.page.getByRole('button', { name: 'Open' }).click();
      await keyField().waitFor({ state: 'detached' });
      await say('Hello');
      await expect.poll(() => answers().allInnerTexts()).toEqual([ANSWER]);
      expect(world.page.url()).not.toContain('sixteen');
      // Of this tab alone: another one asks, and a reload does not.
      await world.page.reload();
      await expect.poll(() => answers().allInnerTexts()).toEqual([ANSWER]);
      const other = await openTab(null, { address: proxy.url });
      await other.getByLabel('API key').waitFor();
    } finally {
      await world.context.close();
      await proxy.close();
      await world.server.restart({ apiKeys: [] });
    }
  });

  it('remembered, taken away on the server with a message under way, replaced, and forgotten', async () => {
    await world.server.restart({ apiKeys: [KEY] });
    expectComplaints(REFUSED);
    const proxy = await startCuttingProxy(world.server.url);
    try {
      await open(null, { address: proxy.url });
      await world.page.getByLabel('Remember it').check();
      await giveRight(KEY);
      await say('Hello');
      await expect.poll(() => answers().count()).toBe(1);
      const other = await openTab(null, { address: proxy.url });
      await other.locator('.sidebar .list a').first().waitFor();
      expect(await other.getByLabel('API key').count()).toBe(0);
      await other.close();

      // The message is the first to meet it.
      await world.page.route('**/api/v1/events*', (route) => route.abort());
      await world.server.restart({ apiKeys: [OTHER] });
      proxy.redirect(world.server.url);
      proxy.dropAll();
      await say('And now?');
      await world.page.getByText('This key is not accepted.').waitFor();
      await world.page.getByLabel('Remember it').uncheck();
      await giveRight(OTHER);
      await expect.poll(() => answers().allInnerTexts()).toEqual([ANSWER, ANSWER]);
      expect(await said().allInnerTexts()).toEqual(['Hello', 'And now?']);

      // The old one is not met again, since the new one was not to be remembered.
      expect(await world.page.evaluate("localStorage.getItem('mochi.key')")).toBeNull();
      await world.page.getByRole('button', { name: 'Settings' }).click();
      await world.page.getByRole('button', { name: 'Forget the key' }).click();
      await keyField().waitFor();
      expect(await world.page.evaluate("sessionStorage.getItem('mochi.key')")).toBeNull();
    } finally {
      await world.context.close();
      await proxy.close();
      await world.server.restart({ apiKeys: [] });
    }
  });
});

describePage('the page', () => {
  it('says that the browser is full, sends nevertheless, and says no more when there is room', async () => {
    const full = world.page;
    await open();
    expect(full).not.toBe(world.page);
    await world.page.evaluate(`for (let size = 2 ** 20; size >= 1; size /= 2) {
      try { for (let at = 0; ; at += 1) localStorage.setItem('fill.' + size + '.' + at, 'x'.repeat(size)); } catch {}
    }`);
    await composer().fill('More than it can keep');
    await world.page.getByRole('alert').filter({ hasText: 'keeps nothing more' }).waitFor();
    await world.page.keyboard.press('Enter');
    await expect.poll(() => answers().allInnerTexts()).toEqual([ANSWER]);
    await world.page.evaluate("localStorage.removeItem('fill.1048576.0')");
    await composer().fill('Kept again');
    await world.page.getByRole('alert').waitFor({ state: 'detached' });
    await world.page.reload();
    await expect.poll(() => composer().inputValue()).toBe('Kept again');
  });

  it('keeps what was written for a conversation that another tab has deleted, and goes on with it', async () => {
    const id = await world.server.createSession();
    await world.server.post(`/chat/${id}`, { message: 'Once' });
    expectComplaints(/404/);
    await open(id);
    await answers().first().waitFor();
    await composer().fill('Half a thought');
    await world.server.request('DELETE', `/sessions/${id}`);
    await world.page.getByRole('alert').filter({ hasText: 'it was deleted' }).waitFor();
    expect(await answers().allInnerTexts()).toEqual([ANSWER]);
    // Sent nevertheless, it is not lost either.
    await composer().press('Enter');
    await world.page.getByText('has not reached the server').waitFor();
    await composer().fill('and another half');
    await world.page.getByRole('button', { name: 'Go on in a new chat' }).click();
    await expect.poll(() => composer().inputValue()).toBe('Half a thought\n\nand another half');
    await composer().press('Enter');
    await expect.poll(() => said().allInnerTexts()).toEqual(['Half a thought\n\nand another half']);
    await expect.poll(() => answers().allInnerTexts()).toEqual([ANSWER]);
  });

  it('that is older than the server asks to be loaded anew, and loses nothing', async () => {
    await open();
    await world.page.route('**/api/v1/events*', (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: 'id: 9000000000000\nevent: hello\ndata: {"version":"99.0.0"}\n\n',
      }),
    );
    await world.page.route('**/assets/import-dialog-*', (route) => route.fulfill({ status: 404 }));
    expectComplaints(/404|dynamically imported/);
    const newer = world.page.getByText('The server has a newer version');
    expect(await newer.count()).toBe(0);
    // A part that is gone says it before the stream does.
    await world.page.getByRole('button', { name: 'Import' }).click();
    await newer.waitFor();
    await composer().fill('Half a thought');
    await world.page.getByRole('button', { name: 'Reload' }).click();
    await newer.waitFor({ state: 'detached' });
    await expect.poll(() => composer().inputValue()).toBe('Half a thought');
    // The page that came now takes what it was told first for its own; the stream tells another.
    await newer.waitFor();
  });
});
