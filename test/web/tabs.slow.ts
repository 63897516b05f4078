// Several tabs: of one conversation, of many, and of those that nobody looks at.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();
const { open, openTab, answers, said, stop, say, streamsOf } = world;

/** Another tab came before it, or it is back: browsers in tests have no tab bar. */
const look = (tab: Page, state: 'visible' | 'hidden') =>
  tab.evaluate((state) => {
    const { document, Event } = globalThis as any;
    const tell = (name: string, value: unknown) =>
      Object.defineProperty(document, name, { configurable: true, get: () => value });
    tell('visibilityState', state);
    tell('hidden', state === 'hidden');
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

/** Hidden, and for long enough. */
async function hide(tab: Page): Promise<void> {
  await look(tab, 'hidden');
  await tab.clock.fastForward(10_500);
}

const listeners = (...tabs: readonly Page[]) =>
  tabs.flatMap(streamsOf).filter((name) => name === 'events').length;
const answersOf = (tab: Page) => tab.locator('.row.answer .markdown');
const saidIn = (tab: Page) => tab.locator('.row.user .said');
const listed = (tab: Page, title: string) => tab.locator('.sidebar').getByText(title).waitFor();

describePage('several tabs', () => {
  it('of one turn show one text, and what is done in one is seen in the other', async () => {
    const id = await world.server.createSession({ model: 'endless' });
    await open(id);
    const other = await openTab(id);
    await say('Speak');
    await other.getByText('t0 t1').waitFor();
    await other.getByRole('button', { name: 'Stop', exact: true }).click();
    await stop().waitFor({ state: 'detached' });
    const [message] = (await world.textsOf(id)).slice(1);
    await expect.poll(() => answers().allInnerTexts()).toEqual([message?.[1].trim()]);
    expect(await answersOf(other).allInnerTexts()).toEqual([message?.[1].trim()]);

    await world.server.request('PATCH', `/sessions/${id}`, { model: 'llama3.2:latest' });
    await saidIn(other).hover();
    await other.locator('.row.user').getByRole('button', { name: 'Edit' }).click();
    await other.getByRole('textbox', { name: 'Edit' }).fill('Speak briefly');
    await other.getByRole('button', { name: 'Send edited' }).click();
    await expect.poll(() => said().allInnerTexts()).toEqual(['Speak briefly']);
    await expect.poll(() => answers().allInnerTexts()).toEqual(['The capital of France is Paris.']);
    await world.page.locator('.row.user').getByText('2 / 2').waitFor();
    // Only the branch is another one: nothing was written.
    await world.page.locator('.row.user').getByRole('button', { name: 'Earlier version' }).click();
    await expect.poll(() => saidIn(other).allInnerTexts()).toEqual(['Speak']);
  });

  it('hear of the server by one stream, which the next one takes over from a tab that goes', async () => {
    const id = await world.server.createSession({ title: 'Before' });
    await open(id, { hasClock: true });
    const [second, third] = [await openTab(), await openTab()];
    const all = [world.page, second, third];
    await expect.poll(() => all.map((tab) => listeners(tab))).toEqual([1, 0, 0]);
    await world.server.request('PATCH', `/sessions/${id}`, { title: 'Renamed once' });
    for (const tab of all) await listed(tab, 'Renamed once');
    await hide(world.page);
    await expect.poll(() => all.map((tab) => listeners(tab))).toEqual([0, 1, 0]);
    await second.close();
    await expect.poll(() => listeners(third)).toBe(1);
    await world.server.request('PATCH', `/sessions/${id}`, { title: 'Renamed twice' });
    await listed(third, 'Renamed twice');
    // It was not told, and reads it.
    await look(world.page, 'visible');
    await listed(world.page, 'Renamed twice');
    expect(listeners(world.page, third)).toBe(1);
  });

  it('without TLS listen each for itself, while somebody looks at them', async () => {
    await world.server.restart({ allowedHosts: ['lan.test'] });
    world.expectComplaints(/Opener-Policy/);
    try {
      const address = world.server.url.replace('127.0.0.1', 'lan.test');
      await open(null, { address, hasClock: true });
      const other = await openTab(null, { address });
      await expect.poll(() => [listeners(world.page), listeners(other)]).toEqual([1, 1]);
      await hide(world.page);
      await expect.poll(() => [listeners(world.page), listeners(other)]).toEqual([0, 1]);
    } finally {
      await world.context.close();
      await world.server.restart({ allowedHosts: [] });
    }
  });

  it('that nobody looks at hold no stream; a ninth loads and works, and they go on where they were', async () => {
    const id = await world.server.createSession({ model: 'endless' });
    await world.server.post(`/chat/${id}/stream?follow=false`, {
      message: 'Speak',
      on_disconnect: 'continue',
    });
    await open(id, { hasClock: true });
    const tabs = [world.page];
    for (;;) {
      const tab = tabs.at(-1) as Page;
      await tab.getByText('t0 t1').waitFor();
      expect(streamsOf(tab)).toContain('stream');
      if (tabs.length === 8) break;
      await hide(tab);
      await expect.poll(() => streamsOf(tab)).toEqual([]);
      tabs.push(await openTab(id));
    }
    const ninth = await openTab();
    await ninth.getByRole('textbox', { name: 'Write a message' }).fill('Hello');
    await ninth.keyboard.press('Enter');
    await expect.poll(() => answersOf(ninth).allInnerTexts()).toEqual(['The capital of France is Paris.']);

    // It asks now and then.
    const first = world.page;
    const length = async () => (await answersOf(first).innerText()).length;
    const before = await length();
    const asked = first.waitForRequest((request) => /\/stream\?after=\d+&follow=false/.test(request.url()));
    await first.clock.fastForward(10_500);
    await asked;
    await expect.poll(length).toBeGreaterThan(before);
    expect(streamsOf(first)).toEqual([]);
    await look(first, 'visible');
    await expect.poll(() => streamsOf(first)).toContain('stream');
    await first.getByRole('button', { name: 'Stop', exact: true }).click();
    // All that was kept, once it has ended.
    const stopped = async () => {
      await world.server.post(`/chat/${id}/cancel?wait=true`);
      return (await world.textsOf(id))[1]?.[1] ?? '';
    };
    await expect
      .poll(async () => [
        (await world.server.get(`/sessions/${id}/status`)).body.active_turn,
        await answersOf(first).innerText(),
      ])
      .toEqual([null, (await stopped()).trim()]);
    const status = await world.server.get(`/sessions/${id}/status`);
    expect(status.body.active_turn).toBeNull();
  });
});
