// The models: which are in memory, one that is deleted, one whose fetching is stopped, and another one for an answer.
import { expect, it } from 'vitest';
import { startToolServer } from '../support/server-with-tools.ts';
import { describePage, openedPage } from './opened-page.ts';

const MODELS = [{ name: 'big:latest' }, { name: 'small:latest' }, { name: 'spare:latest' }];

describePage('the models', () => {
  const web = openedPage(() => startToolServer([], { ollama: { models: MODELS } }));
  const dialog = () => web.page.getByRole('dialog');
  const line = (name: string) => dialog().locator('.models li').filter({ hasText: name });
  const openModels = (page = web.page) =>
    page.locator('.sidebar').getByRole('button', { name: 'Models' }).click();

  it('are listed with the time that they stay in memory, and deleted after a question', async () => {
    const id = await web.server.createSession({ model: 'small:latest' });
    await web.open(id);
    await web.say('Hello');
    await expect.poll(() => web.answers().count()).toBe(1);
    await openModels();
    await line('small')
      .getByText(/in memory, for \d+ min/)
      .waitFor();
    expect(await line('big').innerText()).not.toContain('in memory');
    const questions: string[] = [];
    web.page.removeAllListeners('dialog');
    web.page.on('dialog', (question) => {
      questions.push(question.message());
      void (questions.length === 1 ? question.dismiss() : question.accept());
    });
    await web.page.getByRole('button', { name: 'Delete spare:latest' }).click();
    await expect.poll(() => questions.length).toBe(1);
    expect(await line('spare').count()).toBe(1);
    await web.page.getByRole('button', { name: 'Delete spare:latest' }).click();
    await line('spare').waitFor({ state: 'detached' });
    expect(questions[0]).toMatch(/^Delete spare:latest \(.*B\) from the disk\?/);
    const { body } = await web.server.get('/models');
    expect(body.models.map(({ name }: { name: string }) => name)).toEqual(['big:latest', 'small:latest']);
  });

  it('that are being fetched are stopped, here and from another tab, and begun again', async () => {
    const release = web.server.ollama.holdPulls();
    await web.open();
    await openModels();
    const name = dialog().getByRole('textbox');
    const bar = dialog().getByText('wanted: 50 %');
    const gaveUp = (count: number) =>
      expect
        .poll(() => web.server.ollama.requestsTo('/api/pull').filter(({ aborted }) => aborted).length)
        .toBe(count);
    await name.fill('wanted');
    await name.press('Enter');
    await bar.waitFor();
    await dialog().getByRole('button', { name: 'Stop fetching wanted' }).click();
    await bar.waitFor({ state: 'detached' });
    await gaveUp(1);

    const other = await web.openTab();
    await openModels(other);
    await web.page.bringToFront();
    await name.fill('wanted');
    await name.press('Enter');
    await bar.waitFor();
    await other.getByRole('button', { name: 'Stop fetching wanted' }).click();
    await bar.waitFor({ state: 'detached' });
    await gaveUp(2);
    expect(await web.page.getByRole('alert').count()).toBe(0);

    release();
    await name.fill('wanted');
    await name.press('Enter');
    await line('wanted').waitFor();
  });

  it('are those of the newer answer, where two are on their way', async () => {
    await web.open();
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    let asked = 0;
    await web.page.route('**/api/v1/models', async (route) => {
      const isFirst = (asked += 1) === 1;
      const response = await route.fetch();
      if (isFirst) await held;
      await route.fulfill({ response });
    });
    await openModels();
    await expect.poll(() => asked).toBe(1);
    await web.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    web.server.ollama.setModels([...MODELS, { name: 'fresh:latest' }]);
    await openModels();
    await line('fresh').waitFor();
    const late = web.page.waitForResponse('**/api/v1/models');
    letGo();
    await (await late).finished();
    // The page shows what it has read.
    await web.page.waitForTimeout(300);
    expect(await line('fresh').count()).toBe(1);
  });

  it('serve for another answer: the chat goes on with the one that was chosen', async () => {
    const id = await web.server.createSession({ model: 'big:latest' });
    await web.open(id);
    await web.say('Hello');
    await expect.poll(() => web.answers().count()).toBe(1);
    await web.stop().waitFor({ state: 'detached' });
    await web.page.getByRole('button', { name: 'Another model for this answer' }).click();
    await web.page.getByRole('menuitem', { name: 'small:latest' }).click();
    await web.page.locator('.row.answer').getByText('2 / 2').waitFor();
    await expect.poll(() => web.page.locator('.row.answer .who').innerText()).toBe('small:latest');
    await expect
      .poll(() => web.page.getByRole('combobox', { name: 'Model' }).inputValue())
      .toBe('small:latest');
    const { body } = await web.server.get(`/sessions/${id}/status`);
    expect(body.model).toBe('small:latest');
  });
});
