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

  it('are stored in the order in which they were switched, however slow the first change is', async () => {
    const id = await web.server.createSession({ model: 'qwen3:14b', tool_settings: { tools: ['look*'] } });
    await web.open(id);
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    let asked = 0;
    let stored = 0;
    await web.page.route(`**/api/v1/sessions/${id}`, async (route) => {
      if (!route.request().postData()?.includes('tool_settings')) return route.continue();
      if ((asked += 1) === 1) await held;
      const response = await route.fetch();
      stored += 1;
      await route.fulfill({ response });
    });
    await open();
    await dialog().getByLabel('look_again').uncheck();
    await dialog().getByLabel('Ask me before each call').uncheck();
    await expect.poll(() => asked).toBeGreaterThan(0);
    // Long enough for a second one that does not wait.
    await web.page.waitForTimeout(300);
    letGo();
    await expect.poll(() => stored).toBe(2);
    expect((await sessionOf(id)).tool_settings).toMatchObject({
      tools: ['look'],
      execution_policy: 'never_confirm',
    });
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
