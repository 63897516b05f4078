// Conversations as files: out of the page and in again, by choosing and by dropping.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();
const { open } = world;

const exported = async (id: string, format: string) =>
  (await fetch(`${world.server.url}/api/v1/sessions/${id}/export?format=${format}`)).text();

/** As somebody does who presses the entry of the menu. */
async function saved(entry: string): Promise<string> {
  await world.page.getByRole('button', { name: 'More' }).click();
  const [download] = await Promise.all([
    world.page.waitForEvent('download'),
    world.page.getByRole('menuitem', { name: entry }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

const choose = (...files: readonly (readonly [string, string])[]) =>
  world.page
    .getByLabel('Choose files')
    .setInputFiles(
      files.map(([name, text]) => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) })),
    );

const outcomes = () => world.page.locator('.imports > li');
const told = async (at: number) =>
  (await outcomes().nth(at).innerText()).split('\n').filter((line) => line !== '');

describePage('files of conversations', () => {
  it('go out as the API has them, with every branch, and come back the same', async () => {
    const id = await world.server.createSession({ title: 'To keep' });
    await world.server.post(`/chat/${id}`, { message: 'Once' });
    await world.server.post(`/chat/${id}`, { message: null, mode: 'regenerate' });
    const [lines, file] = [await exported(id, 'jsonl'), await exported(id, 'json')];
    await open(id);
    expect(await saved('Export with every branch')).toBe(lines);
    expect(await saved('Export as JSON')).toBe(file);
    expect(await saved('Export as Markdown')).toMatch(/^# To keep\n\n## You\n\nOnce\n/);

    await world.page.getByRole('button', { name: 'New chat' }).click();
    await world.server.request('DELETE', `/sessions/${id}`);
    await world.page.getByRole('button', { name: 'Import' }).click();
    await choose(['kept.jsonl', lines], ['kept.json', file]);
    await expect.poll(() => outcomes().count()).toBe(2);
    await expect.poll(() => told(0)).toEqual(['kept.jsonl', '1 conversation imported', 'To keep']);
    // The same once more: nothing is doubled.
    await expect.poll(() => told(1)).toContain('Nothing imported, 1 left out');
    await outcomes().first().getByRole('link', { name: 'To keep' }).click();
    await world.page.getByRole('heading', { name: 'To keep' }).waitFor();
    expect(world.page.url()).toContain(id);
    await world.page.getByText('2 / 2').waitFor();
    expect(await exported(id, 'jsonl')).toBe(lines);
  });

  it('are told each by itself: what came, what was there already, and what is wrong with the rest', async () => {
    const id = await world.server.createSession({ title: 'There' });
    await world.server.post(`/chat/${id}`, { message: 'Once' });
    const lines = await exported(id, 'jsonl');
    await open();
    await world.page.getByRole('button', { name: 'Import' }).click();
    expectRefusals();
    await choose(
      ['same.jsonl', lines],
      ['broken.json', '{"messages": ['],
      ['list.json', '[1, 2]'],
      ['none.json', ' '],
    );
    await expect.poll(() => outcomes().count()).toBe(4);
    await expect.poll(() => told(3)).toEqual(['none.json', 'There is nothing in this file.']);
    expect(await told(0)).toEqual([
      'same.jsonl',
      'Nothing imported, 1 left out',
      expect.stringContaining(id),
    ]);
    expect(await told(1)).toEqual(['broken.json', expect.stringContaining('not JSON')]);
    expect((await told(2)).join()).not.toBe('');
  });

  it('may be dropped anywhere, and nothing that is dropped takes the place of the page', async () => {
    await open();
    await world.composer().fill('Half a thought');
    await drop('.sidebar', 'one.json', file('Dropped beside'));
    await world.page.locator('.imports').getByText('Dropped beside').waitFor();
    await world.page.keyboard.press('Escape');
    await drop('.composer', 'two.json', file('Dropped below'));
    await world.page.locator('.imports').getByText('Dropped below').waitFor();
    await world.page.keyboard.press('Escape');
    await world.page.locator('.sidebar').getByText('Dropped beside').waitFor();
    expect(await world.composer().inputValue()).toBe('Half a thought');
  });

  it('are told of, though they are dropped before the page has heard that the dialog is closed', async () => {
    await open();
    await drop('.sidebar', 'one.json', file('Dropped first'));
    await world.page.locator('.imports').getByText('Dropped first').waitFor();
    await drop('.sidebar', 'two.json', file('Dropped at once'), { closes: 'dialog' });
    await world.page.locator('.imports').getByText('Dropped at once').waitFor();
    await world.page.keyboard.press('Escape');
    await world.page.locator('dialog').waitFor({ state: 'detached' });
  });
});

const file = (title: string) =>
  JSON.stringify({
    metadata: { model: 'llama3.2:latest', title },
    messages: [{ role: 'user', content: title, message_id: 'aa00000001' }],
  });

/** @param closes in the same moment: the browser tells the page of it later */
const drop = (selector: string, name: string, text: string, { closes = '' } = {}) =>
  world.page.evaluate(
    ([selector, name, text, closes]) => {
      const { DataTransfer, DragEvent, document } = globalThis as any;
      const files = new DataTransfer();
      files.items.add(new File([text], name, { type: 'application/json' }));
      const at = document.querySelector(selector);
      if (closes !== '') document.querySelector(closes).close();
      for (const kind of ['dragover', 'drop']) {
        const event = new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
        if (at?.dispatchEvent(event) !== false) throw new Error(`${kind} is left to the browser`);
      }
    },
    [selector, name, text, closes] as const,
  );

/** The browser says of every answer that refuses that it does. */
function expectRefusals(): void {
  world.expectComplaints(/status of 4\d\d/);
}
