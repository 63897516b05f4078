// The page by keys alone, and what is said to those who do not see it.
import { expect, it } from 'vitest';
import { describePage, openedPage } from './opened-page.ts';

describePage('by keys alone', () => {
  const web = openedPage();
  const press = (key: string) => web.page.keyboard.press(key);
  /** Of the element with the focus. */
  const focused = () => web.page.evaluate<string>('document.activeElement.textContent');
  const label = () => web.page.evaluate<string | null>('document.activeElement.ariaLabel');
  const focusNewest = () => web.page.locator('article.row[tabindex="0"]').focus();

  it('a conversation is held, and its rows are walked, edited, answered anew and compared', async () => {
    const id = await web.server.createSession();
    await web.open(id);
    await web.page.keyboard.type('First');
    await press('Enter');
    await expect.poll(() => web.answers().count()).toBe(1);
    await web.stop().waitFor({ state: 'detached' });
    await expect
      .poll(() => web.page.locator('[role=status] .off-screen').first().innerText())
      .toBe('Answer complete, 6 words');
    await focusNewest();
    await press('k');
    await expect.poll(focused).toContain('First');
    await press('j');
    await expect.poll(focused).toContain('Paris');
    await press('r');
    await web.page.locator('.row.answer').getByText('2 / 2').waitFor();
    await focusNewest();
    await press('[');
    await web.page.locator('.row.answer').getByText('1 / 2').waitFor();
    await focusNewest();
    await press('i');
    await web.page.locator('dl.receipt').waitFor();
    await press('Escape');
    await web.page.locator('dl.receipt').waitFor({ state: 'detached' });
    await focusNewest();
    await press('Escape');
    await expect
      .poll(() => web.composer().evaluate((field) => field === field.ownerDocument.activeElement))
      .toBe(true);
    await press('ArrowUp');
    const edited = web.page.getByRole('textbox', { name: 'Edit' });
    await edited.waitFor();
    await press('Escape');
    await edited.waitFor({ state: 'detached' });
    await expect.poll(label).toBe('You');
    await press('e');
    await edited.fill('Second');
    await press('Control+Enter');
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['Second']);
    await expect.poll(label).toBe('You');
    await web.page.getByRole('button', { name: 'Rename' }).first().click();
    await press('Escape');
    await expect.poll(label).toBe('Rename');
    await web.composer().focus();
    await press('ArrowUp');
    await web.page.getByRole('textbox', { name: 'Edit' }).fill('Second');
    await press('Shift+Enter');
    await web.page.keyboard.type('line');
    await press('Enter');
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['Second\nline']);
    await web.page.evaluate(
      `localStorage.setItem('mochi.preferences', JSON.stringify({ enterSends: false }))`,
    );
    await web.page.reload();
    await web.composer().focus();
    await web.said().first().waitFor();
    await press('ArrowUp');
    await web.page.getByRole('textbox', { name: 'Edit' }).fill('Third');
    await press('Enter');
    await web.page.keyboard.type('line');
    await press('Control+Enter');
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['Third\nline']);
  });

  it('a question is answered where it has the focus, and nowhere else', async () => {
    const asking = { model: 'early-tool', tool_settings: { execution_policy: 'always_confirm' } };
    const id = await web.server.toolSession(['add_numbers'], asking);
    await web.open(id);
    await web.say('Add.');
    const card = web.page.locator('.approval');
    await card.waitFor();
    await web.page.locator('.scroller').focus();
    await press('a');
    await card.waitFor();
    await card.focus();
    await press('d');
    await web.page.getByLabel('Why not?').waitFor();
    await web.page.getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(label).toContain('May this run?');
    await press('a');
    await card.waitFor({ state: 'detached' });
    await web.page.getByText('The tool answered:').waitFor();
  });

  it('conversations are a key apart, and all keys stand in a list', async () => {
    const oldest = await web.server.createSession({ title: 'Oldest' });
    const ids = [
      await web.server.createSession({ title: 'Older' }),
      await web.server.createSession({ title: 'Newer' }),
    ];
    await web.open(ids[1] ?? null);
    await web.page.locator('.sidebar').getByText('Older').waitFor();
    await press('Alt+ArrowDown');
    await expect.poll(() => web.page.url()).toContain(ids[0]);
    await press('Alt+ArrowUp');
    await expect.poll(() => web.page.url()).toContain(ids[1]);
    // Two of them before the browser has told of the first.
    await web.page.evaluate(`for (const _ of [1, 2]) {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', altKey: true, bubbles: true }));
    }`);
    await expect.poll(() => web.page.url()).toContain(oldest);
    await web.page.keyboard.type('What?');
    expect(await web.page.getByRole('dialog').count()).toBe(0);
    await web.page.locator('.sidebar button').first().focus();
    await press('?');
    const list = web.page.getByRole('dialog').getByText('edit your last message');
    await list.waitFor();
    await press('Escape');
    await list.waitFor({ state: 'detached' });
    await web.page.locator('.sidebar').getByRole('button', { name: 'Settings' }).click();
    await web.page.getByRole('dialog').getByRole('button', { name: 'Keys' }).click();
    await list.waitFor();
  });

  it('a name is changed where it stands, and a search begins in its field', async () => {
    const id = await web.server.createSession({ title: 'Before' });
    await web.open(id);
    await web.page.getByRole('heading', { name: 'Before' }).hover();
    const rename = web.page.getByRole('heading').getByRole('button', { name: 'Rename' });
    await rename.click();
    const field = web.page.getByRole('textbox', { name: 'Rename' });
    expect(await field.inputValue()).toBe('Before');
    await press('Escape');
    await expect.poll(() => rename.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
    await press('Enter');
    await field.waitFor();
    await web.page.keyboard.type('After');
    await press('Enter');
    await web.page.getByRole('heading', { name: 'After' }).waitFor();
    await expect.poll(() => rename.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
    await press('Control+k');
    await web.page.getByRole('searchbox').waitFor();
    await web.page.keyboard.type('After');
    await web.page.locator('.hits').getByText('After').first().waitFor();
  });
});
