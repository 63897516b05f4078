// Conversations of thousands of messages: what is asked for, what is in the page, and that nothing jumps. By counts, never by time.
import { beforeAll, expect, it } from 'vitest';
import { startToolServer } from '../support/server-with-tools.ts';
import { describePage, openedPage } from './opened-page.ts';

const COUNT = 5000;

describePage('a long conversation', () => {
  const web = openedPage(() => startToolServer([], { ollama: { programs: { pacedTokens: 600 } } }));
  let long: string;
  let asked: string[];

  beforeAll(async () => {
    if (web.server !== undefined) long = await importMessages(COUNT);
  });

  async function importMessages(count: number): Promise<string> {
    const messages = Array.from({ length: count }, (_, at) => ({
      role: at % 2 === 0 ? 'user' : 'assistant',
      content: `Message ${at}. ${'Some words of it. '.repeat((at * 7) % 23)}${at === 2500 ? 'needle' : ''}`,
      message_id: `b${String(at).padStart(9, '0')}`,
      ...(at % 2 === 1 && { model: 'llama3.2:latest' }),
    }));
    const metadata = { model: 'llama3.2:latest', title: `Of ${count}` };
    const { body } = await web.server.post('/sessions/import', { metadata, messages });
    return body.imported[0].session_id;
  }

  async function open(sessionId: string) {
    await web.open();
    asked = [];
    web.page.on('request', (request) => {
      const path = new URL(request.url()).pathname;
      if (path.includes(sessionId)) asked.push(path);
    });
    await web.page.evaluate(`location.hash = '#/s/${sessionId}'`);
  }
  const nodes = () => web.page.evaluate<number>('document.querySelectorAll("*").length');
  const scroller = () => web.page.locator('.scroller');
  const row = (at: number) => web.page.getByText(`Message ${at}.`);
  /** Where a row stands in the view; null: it is not in the page. */
  const topOf = (at: number) =>
    web.page.evaluate<number | null>(
      `document.querySelector('[data-index="${at}"]')?.getBoundingClientRect().top ?? null`,
    );
  /** The rows in sight, and whether all of them were read. */
  const inSight = () =>
    scroller().evaluate((view) => {
      const { top, bottom } = view.getBoundingClientRect();
      const rows = ([...view.querySelectorAll('.place')] as (typeof view)[]).filter((one) => {
        const box = one.getBoundingClientRect();
        return box.bottom > top && box.top < bottom;
      });
      return {
        first: Number(rows[0]?.dataset['index']),
        place: rows[0]?.getBoundingClientRect().top ?? 0,
        last: Number(rows.at(-1)?.dataset['index']),
        covers: rows.length > 0 && (rows[0]?.getBoundingClientRect().top ?? 0) <= top + 20,
        isRead: rows.every((one) => one.dataset['unread'] === undefined),
      };
    });

  it('opens at its newest message, with few requests and few elements', async () => {
    await open(long);
    await row(COUNT - 1).waitFor();
    await expect.poll(async () => (await inSight()).last).toBe(COUNT - 1);
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(await nodes()).toBeLessThanOrEqual(3000);
    const feed = web.page.locator('[role=feed] article').last();
    expect([await feed.getAttribute('aria-posinset'), await feed.getAttribute('aria-setsize')]).toEqual([
      String(COUNT),
      String(COUNT),
    ]);
  });

  it('is read on upwards without a jump: what is in sight stays while older rows come', async () => {
    await open(long);
    await row(COUNT - 1).waitFor();
    await scroller().hover();
    for (let round = 0; round < 8; round += 1) {
      const from = (await inSight()).first;
      // Now and then further than what was read before it came near.
      await web.page.mouse.wheel(0, round % 3 === 2 ? -4000 : -900);
      await expect.poll(async () => (await inSight()).first).toBeLessThan(from);
      const { first, place } = await inSight();
      await expect.poll(inSight).toMatchObject({ covers: true, isRead: true });
      // Whatever is still to be measured has its time.
      await web.page.evaluate(
        'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
      );
      expect(Math.abs(((await topOf(first)) ?? 1e9) - place)).toBeLessThanOrEqual(1);
    }
    expect((await inSight()).first).toBeLessThan(COUNT - 60);
    expect(await nodes()).toBeLessThanOrEqual(3000);
  });

  it('is anywhere at once: by the bar, by a hit of the search, and back at the end', async () => {
    await open(long);
    await row(COUNT - 1).waitFor();
    await scroller().evaluate((view) => view.scrollTo(0, view.scrollHeight / 4));
    await expect.poll(inSight).toMatchObject({ covers: true, isRead: true });
    expect((await inSight()).first).toBeLessThan(COUNT / 2);
    asked.length = 0;
    await web.page.keyboard.press('Control+k');
    await web.page.getByRole('searchbox').fill('needle');
    await web.page
      .getByRole('link', { name: /needle/ })
      .first()
      .click();
    await row(2500).waitFor();
    const height = await scroller().evaluate((view) => view.clientHeight);
    await expect
      .poll(async () => Math.abs(((await topOf(2500)) ?? 1e9) - 52 - height / 3))
      .toBeLessThanOrEqual(3);
    expect(asked.filter((path) => path.endsWith('/messages')).length).toBeLessThanOrEqual(2);
    expect(await nodes()).toBeLessThanOrEqual(3000);
    expect(await web.page.locator('.place.found').innerText()).toContain('Message 2500.');
    await scroller().evaluate((view) => view.scrollTo(0, view.scrollHeight));
    await row(COUNT - 1).waitFor();
  });

  it('leads to a message on another branch, once that one is shown', async () => {
    web.expectComplaints(/404/);
    const id = await web.server.createSession();
    await web.server.chat(id, { message: 'A lost question' });
    const [lost] = await web.server.messages(id);
    await web.server.chat(id, { message: 'Another one', replaces: lost.message_id });
    await web.open(id);
    await web.page.evaluate(`location.hash = '#/s/${id}/m/${lost.message_id}'`);
    await web.page.getByText('The message is on another branch.').waitFor();
    await web.page.getByRole('button', { name: 'Show this branch' }).click();
    await expect.poll(() => web.said().allInnerTexts()).toEqual(['A lost question']);
    await web.page.locator('.place.found').waitFor();
    expect(await web.page.getByText('The message is on another branch.').count()).toBe(0);
  });

  it('says where the model began to read, right below the last message that it was not sent', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.', message_id: 'c000000000' },
      ...Array.from({ length: 400 }, (_, at) => ({
        role: at % 2 === 0 ? 'user' : 'assistant',
        content: `Turn ${at}. ${'Many words of it. '.repeat(20)}`,
        message_id: `c${String(at + 1).padStart(9, '0')}`,
      })),
    ];
    const metadata = { model: 'llama3.2:latest', title: 'Left out' };
    const { body } = await web.server.post('/sessions/import', { metadata, messages });
    const id: string = body.imported[0].session_id;
    const small = { context_window: { current_window: 4096, manual_override: true } };
    await web.server.request('PATCH', `/sessions/${id}`, small);
    await web.server.chat(id, { message: 'Go on.' });
    const { context } = (await web.server.get(`/sessions/${id}/status`)).body;
    expect(context.messages_left_out).toBeGreaterThan(0);
    const at = context.messages_left_out + 1;
    await web.open();
    // The first row comes only because the line needs it.
    await web.page.evaluate(`location.hash = '#/s/${id}/m/c${String(at).padStart(9, '0')}'`);
    await web.page.locator(`[data-index="${at}"] .left-out`).waitFor();
    expect(await web.page.locator('.left-out').count()).toBe(1);
  });

  it('of up to 150 messages is all in the page, for the browser to find, select and print', async () => {
    const id = await importMessages(150);
    await open(id);
    await expect.poll(() => web.page.locator('.place:not(.unread)').count()).toBe(150);
    expect(asked.length).toBeLessThanOrEqual(3);
    await expect.poll(async () => (await inSight()).last).toBe(149);
  });
});
