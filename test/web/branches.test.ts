// Branches in the page: a list at each message that has several versions, and one of the whole conversation.
import { expect, it } from 'vitest';
import { describePage, openedPage } from './opened-page.ts';

describePage('branches', () => {
  const web = openedPage();

  /** `First` answered, `Second` beside it, answered twice, and gone on with in the second answer. */
  async function branched(): Promise<string> {
    const id = await web.server.createSession();
    await web.server.chat(id, { message: 'First' });
    const [first] = await web.server.messages(id);
    await web.server.chat(id, { message: 'Second', replaces: first.message_id });
    const [, answer] = await web.server.messages(id);
    await web.server.chat(id, { message: null, replaces: answer.message_id });
    await web.server.chat(id, { message: 'Third' });
    return id;
  }

  it('of a message are listed with their first words, and one of them is shown', async () => {
    const id = await branched();
    await web.open(id);
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['Second', 'Third']);
    const entries = () => web.page.getByRole('menuitemradio');
    const open = async () => {
      await web.page.getByRole('button', { name: 'Version 2 of 2' }).first().click();
      await entries().first().waitFor();
    };
    await open();
    expect((await entries().allInnerTexts()).map((text) => text.split('\n')[0])).toEqual(['First', 'Second']);
    await expect.poll(() => web.page.evaluate('document.activeElement.ariaChecked')).toBe('true');
    await web.page.keyboard.press('Escape');
    await entries().first().waitFor({ state: 'detached' });
    await open();
    await expect.poll(() => web.page.evaluate('document.activeElement.ariaChecked')).toBe('true');
    await web.page.keyboard.press('ArrowUp');
    await web.page.keyboard.press('Enter');
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['First']);
  });

  it('of a whole conversation stand in a list, inside of each other, and each is a jump away', async () => {
    const id = await branched();
    await web.open(id);
    const openTree = async () => {
      await web.page.getByRole('button', { name: 'More' }).click();
      await web.page.getByRole('menuitem', { name: 'Branches…' }).click();
      await web.page.locator('.tree li').first().waitFor();
    };
    await openTree();
    const shown = await web.page
      .locator('.tree li')
      .evaluateAll((items) =>
        items.map((item) => [
          item.style.getPropertyValue('--depth'),
          item.querySelector('.words')?.textContent,
          item.querySelector('[aria-current]') !== null,
        ]),
      );
    const words = 'The capital of France is Paris.';
    expect(shown).toEqual([
      ['0', 'First', false],
      ['0', 'Second', true],
      ['1', words, false],
      ['1', words, true],
    ]);
    await web.page.locator('.tree button').nth(2).click();
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['Second']);
    await web.page.locator('.row.answer').getByText('1 / 2').waitFor();
    await openTree();
    await web.page.locator('.tree button').nth(3).click();
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['Second', 'Third']);
  });

  it('are none where there was one way', async () => {
    await web.open(await web.importAnswer('Straight on.'));
    await web.page.getByRole('button', { name: 'More' }).click();
    await web.page.getByRole('menuitem', { name: 'Branches…' }).click();
    await web.page.getByText('This conversation has one way so far.').waitFor();
  });

  it('with long first words stay inside of their list, and Close in reach, however many there are', async () => {
    const id = await web.server.createSession();
    const words = 'words without an end '.repeat(20);
    await web.server.chat(id, { message: words });
    const [first] = await web.server.messages(id);
    for (let at = 0; at < 12; at += 1)
      await web.server.chat(id, { message: `${at} ${words}`, replaces: first.message_id });
    await web.open(id, { viewport: { width: 390, height: 500 } });
    await web.page.getByRole('button', { name: 'More' }).click();
    await web.page.getByRole('menuitem', { name: 'Branches…' }).click();
    await web.page.locator('.tree li').last().scrollIntoViewIfNeeded();
    const dialog = web.page.getByRole('dialog');
    expect(await dialog.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });
  });
});
