// Questions that are answered elsewhere, or by nobody.
import type { Route } from 'playwright-core';
import { expect, it } from 'vitest';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();
const { open, openTab, answers, say, stop } = world;

const asking = () =>
  world.server.toolSession(['add_numbers'], {
    model: 'early-tool',
    tool_settings: { execution_policy: 'always_confirm' },
  });

async function pending(): Promise<string> {
  const { body } = await world.server.get('/approvals?state=pending');
  return body.approvals.at(-1).confirmation_id;
}

describePage('a question', () => {
  it('that is answered by another program goes, in every tab, and the answer comes', async () => {
    const id = await asking();
    await open(id);
    const other = await openTab();
    await say('Add.');
    const question = world.page.getByText('May this run?');
    await question.waitFor();
    await expect.poll(() => other.title()).toMatch(/^\(1\)/);
    await world.server.post(`/approvals/${await pending()}/decide`, { decision: 'approve' });
    await answers().filter({ hasText: 'The tool answered:' }).waitFor();
    await stop().waitFor({ state: 'detached' });
    expect(await question.count()).toBe(0);
    await expect.poll(() => other.title()).toBe('mochi');
  });

  it('that another tab answers while this one writes why not is not asked any more, and the first answer counts', async () => {
    const id = await asking();
    await open(id);
    await say('Add.');
    await world.page.getByRole('button', { name: 'Deny' }).click();
    await world.page.getByLabel('Why not?').fill('Too many numbers');
    const other = await openTab(id);
    await other.getByRole('button', { name: 'Approve once' }).click();
    await answers().filter({ hasText: 'The tool answered:' }).waitFor();
    expect(await world.page.getByLabel('Why not?').count()).toBe(0);
    const { body } = await world.server.get(`/sessions/${id}/status`);
    expect(body.approvals).toEqual([]);
  });

  it('that is asked while the list of questions is on its way stays, though the list is without it', async () => {
    const id = await asking();
    const release = Promise.withResolvers<void>();
    let lists = 0;
    const holdSecond = async (route: Route) => {
      const isFirst = (lists += 1) === 1;
      const response = await route.fetch();
      if (!isFirst) await release.promise;
      await route.fulfill({ response });
    };
    await open(null, { onPage: (page) => page.route(/\/api\/v1\/approvals\?/, holdSecond) });
    await expect.poll(() => lists).toBe(2);
    const answer = world.server.stream(`/chat/${id}/stream`, { message: 'Add.' });
    await expect.poll(() => world.page.title()).toMatch(/^\(1\)/);
    const listed = world.page.waitForResponse(/\/api\/v1\/approvals\?/);
    release.resolve();
    await (await listed).finished();
    // The page shows what it has read.
    await world.page.waitForTimeout(300);
    expect(await world.page.title()).toMatch(/^\(1\)/);
    await world.server.post(`/approvals/${await pending()}/decide`, { decision: 'approve' });
    await expect.poll(() => world.page.title()).toBe('mochi');
    expect((await (await answer).all()).at(-1)?.event).toBe('done');
  });

  it('that nobody answers in time is over, here too, and the model is told', async () => {
    await world.server.restart({ confirmTimeoutSeconds: 2 });
    try {
      const id = await asking();
      await open(id);
      await say('Add.');
      await world.page.getByText('May this run?').waitFor();
      await answers().filter({ hasText: 'The tool answered:' }).waitFor();
      expect(await answers().last().innerText()).toContain('was not approved in time');
      await expect
        .poll(() => world.page.locator('details.tool .state').innerText())
        .toBe('not run: nobody approved it in time');
      await stop().waitFor({ state: 'detached' });
      expect(await world.page.getByText('May this run?').count()).toBe(0);
      await expect.poll(() => world.page.title()).not.toMatch(/^\(/);
    } finally {
      await world.context.close();
      await world.server.restart({ confirmTimeoutSeconds: 0 });
    }
  });

  it('whose call did not run is never called done: denied, stopped, failed, also after a reload', async () => {
    const id = await asking();
    await open(id);
    const states = () => world.page.locator('details.tool .state').allInnerTexts();
    await say('Add.');
    await world.page.getByRole('button', { name: 'Deny' }).click();
    await world.page.getByLabel('Why not?').fill('Too many numbers');
    await world.page.getByRole('button', { name: 'Deny' }).click();
    await answers().filter({ hasText: 'was denied by user: Too many numbers' }).waitFor();
    await stop().waitFor({ state: 'detached' });
    expect(await states()).toEqual(['denied']);
    await say('Add once more.');
    await world.page.getByText('May this run?').waitFor();
    await stop().click();
    await stop().waitFor({ state: 'detached' });
    await expect.poll(states).toEqual(['denied', 'not run']);
    await world.page.reload();
    await expect.poll(states).toEqual(['denied', 'not run']);
  });

  it('that wants words gets the focus, keeps what is refused with the reason, and leaves the focus near', async () => {
    world.expectComplaints(/422/);
    const id = await asking();
    await open(id);
    await say('Add.');
    const button = (name: string) => world.page.locator('.approval').getByRole('button', { name });
    const focused = () =>
      world.page.evaluate<string>('document.activeElement.tagName + "." + document.activeElement.className');
    for (const name of ['Deny', 'Answer for it…', 'Edit…']) {
      await button(name).click();
      await expect.poll(focused).toBe('TEXTAREA.');
      await world.page.keyboard.press('Escape');
      await expect.poll(focused).toBe('SECTION.approval');
    }
    await button('Edit…').click();
    const field = world.page.getByLabel('Run with this instead');
    await field.fill('{"a": "many", "b": 2}');
    await button('Approve edited').click();
    await world.page.locator('.approval').getByRole('alert').waitFor();
    expect(await field.inputValue()).toBe('{"a": "many", "b": 2}');
    await expect.poll(focused).toBe('TEXTAREA.');
    await field.fill('{"a": 20, "b": 2}');
    await button('Approve edited').click();
    await answers().filter({ hasText: '22' }).waitFor();
    await expect.poll(focused).toBe('TEXTAREA.');
    expect(await world.composer().evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
  });
});
