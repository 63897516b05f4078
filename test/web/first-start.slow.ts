// The first start: no model, an engine that is away, one that is being fetched.
import { expect, it } from 'vitest';
import { startToolServer } from '../support/server-with-tools.ts';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage(() => startToolServer([], { ollama: { models: [] } }));
const { open, answers, composer, said, say, expectComplaints } = world;

describePage('the first start', () => {
  it('offers models, shows how far one is, over a reload too, and ends in an answer', async () => {
    const release = world.server.ollama.holdPulls();
    await open();
    await world.page.getByRole('button', { name: 'Fetch qwen3:0.6b' }).click();
    await world.page.getByText('qwen3:0.6b: 50 % of 1 kB').waitFor();
    await say('Hello');
    await world.page.getByText('It is sent as soon as there is a model.').waitFor();
    expect(await world.page.getByRole('alert').count()).toBe(0);
    await world.page.reload();
    await world.page.getByText('qwen3:0.6b: 50 % of 1 kB').waitFor();
    expect(await said().allInnerTexts()).toEqual(['Hello']);
    // One at a time, as everywhere.
    await composer().fill('More');
    expect(await world.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    expect(await world.page.getByRole('button', { name: 'Fetch qwen3:0.6b' }).isDisabled()).toBe(true);
    release();
    await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
    expect(await said().allInnerTexts()).toEqual(['Hello']);
    expect(world.server.ollama.requestsTo('/api/pull')).toHaveLength(1);
    expect(await world.page.evaluate("localStorage.getItem('mochi.outbox.new')")).toBeNull();
  });

  it('says what is wrong with a name that there is not', async () => {
    world.server.ollama.setModels([]);
    await open();
    await world.page.getByRole('textbox', { name: 'Another model' }).fill('missing');
    await world.page.keyboard.press('Enter');
    await world.page
      .getByRole('alert')
      .filter({ hasText: /missing: .*(manifest|not exist|not found)/ })
      .waitFor();
    await expect
      .poll(() => world.page.getByRole('textbox', { name: 'Another model' }).inputValue())
      .toBe('missing');
    expect(await world.page.locator('.pull').count()).toBe(0);
  });

  it('finds an engine that was away', async () => {
    world.server.ollama.setModels([{ name: 'tiny:latest' }]);
    await world.server.ollama.stop();
    // What was known of the engine is known for a while.
    await world.server.restart();
    expectComplaints(/50\d/);
    await open();
    await world.page.getByText('The models cannot be reached').waitFor();
    await world.page.getByRole('alert').filter({ hasText: 'Ollama' }).waitFor();
    await composer().fill('Hello');
    await world.server.ollama.restart();
    await world.page.getByRole('button', { name: 'Look now' }).click();
    await world.page.getByText('What is on your mind?').waitFor();
    await composer().press('Enter');
    await expect.poll(() => answers().count()).toBe(1);
  });

  it('shows how far the engine is that the server fetches, and sends what was written meanwhile', async () => {
    world.server.ollama.setModels([{ name: 'tiny:latest' }]);
    let isReady = false;
    const details = { is_underway: true, progress: { status: 'Engine', completed: 25, total: 100 } };
    const error = { code: 'engine_not_ready', message: 'The embedded engine is being set up.', details };
    await open(null, {
      onPage: (page) =>
        page.route(/\/api\/v1\/(models|chat\/.*)$/, async (route) => {
          if (isReady) await route.continue();
          else
            await route.fulfill({
              status: 503,
              headers: { 'retry-after': '1' },
              json: { detail: { error } },
            });
        }),
    });
    expectComplaints(/503/);
    await world.page.getByText('Engine: 25 % of 100 B').waitFor();
    await say('Hello');
    await world.page.getByText('Sending…').waitFor();
    isReady = true;
    await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
  });
});
