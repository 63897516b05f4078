// What a model may use is chosen in the page, before a conversation begins and in one that is there.
import { expect, it } from 'vitest';
import { succeeded } from '../support/scripted-source.ts';
import { startToolServer } from '../support/server-with-tools.ts';
import { describePage, openedPage } from './opened-page.ts';

describePage('the tools of a conversation', () => {
  const web = openedPage(() =>
    startToolServer(
      [
        { name: 'look', run: async () => succeeded('seen') },
        { name: 'look_again', run: async () => succeeded('seen twice') },
      ],
      { ollama: {} },
    ),
  );
  const dialog = () => web.page.getByRole('dialog');
  const open = () => web.page.getByRole('button', { name: /^Tools and agents/ }).click();
  const sessionOf = async (id: string) => (await web.server.get(`/sessions/${id}`)).body;

  it('are switched on and off, and so is being asked', async () => {
    const id = await web.server.createSession({ model: 'qwen3:14b', tool_settings: { tools: ['look*'] } });
    await web.open(id);
    await open();
    await expect.poll(() => dialog().getByLabel('look_again').isChecked()).toBe(true);
    await dialog().getByLabel('look_again').uncheck();
    await dialog().getByLabel('Ask me before each call').uncheck();
    await expect
      .poll(async () => (await sessionOf(id)).tool_settings)
      .toMatchObject({ tools: ['look'], execution_policy: 'never_confirm' });
    await web.page.keyboard.press('Escape');
    await web.page.getByRole('button', { name: 'Tools and agents: 1 on' }).waitFor();
  });

  it('are there from the first message on', async () => {
    await web.open();
    await web.page.getByRole('combobox', { name: 'Model' }).selectOption('qwen3:14b');
    await open();
    await dialog().getByLabel('look', { exact: false }).first().check();
    await web.page.keyboard.press('Escape');
    await web.composer().fill('Look.');
    await web.composer().press('Enter');
    await expect.poll(() => web.page.url()).toMatch(/#\/s\//);
    const id = /#\/s\/(\w+)/.exec(web.page.url())?.[1] ?? '';
    expect((await sessionOf(id)).tool_settings.tools).toEqual(['look']);
  });
});
