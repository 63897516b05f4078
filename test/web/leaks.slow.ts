// What hours of use leave behind: nodes, listeners, and work that nobody sees.
import type { CDPSession } from 'playwright-core';
import { expect, it } from 'vitest';
import { type ChatScript, text } from '../fake-ollama/chat-script.ts';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();
const { open, answers, composer, say, stop } = world;

interface Counters {
  readonly nodes: number;
  readonly jsEventListeners: number;
}

/** Without what only waits to be collected. */
async function count(devtools: CDPSession): Promise<Counters> {
  // What is collected may let go of more.
  for (let round = 0; round < 3; round += 1) await devtools.send('HeapProfiler.collectGarbage');
  return devtools.send('Memory.getDOMCounters');
}

async function talk(title: string): Promise<string> {
  const model = 'llama3.2:latest';
  const messages = Array.from({ length: 40 }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content:
      at % 2 === 0
        ? `Question ${at} of ${title}`
        : `## Answer ${at}\n\n- one\n- **two**\n\n\`\`\`js\nlet a = ${at};\n\`\`\``,
    message_id: `ac${String(at).padStart(8, '0')}`,
    ...(at % 2 === 1 && { model }),
  }));
  const { body } = await world.server.post('/sessions/import', { metadata: { model, title }, messages });
  return body.imported[0].session_id;
}

/** Many blocks, and no end in sight of the last one. */
function longAnswer(blocks: number): ChatScript {
  const pieces = Array.from({ length: blocks }, (_, at) => [
    `Block ${at} is`,
    ` **here** and`,
    ' ends.\n\n',
  ]).flat();
  return { ...text(...pieces), everyMs: 4 };
}

/** Counts what changes inside of the elements that are there now. */
const WATCH = `globalThis.watcher?.disconnect();
globalThis.changes = 0;
globalThis.watcher = new MutationObserver((found) => { globalThis.changes += found.length; });
for (const element of document.querySelectorAll(SELECTOR))
  globalThis.watcher.observe(element, { subtree: true, childList: true, characterData: true, attributes: true });`;
const watch = (selector: string) => world.page.evaluate(WATCH.replace('SELECTOR', JSON.stringify(selector)));
const changes = () => world.page.evaluate<number>('globalThis.changes');

describePage('the page in use', () => {
  it('is as small after 50 changes of conversation and a long answer as it was before', {
    timeout: 300_000,
  }, async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, (_, at) => talk(`Talk ${at}`)));
    await open(ids[0]);
    const devtools = await world.context.newCDPSession(world.page);
    const look = async (at: number) => {
      await world.page.evaluate(`location.hash = '#/s/${ids[at]}'`);
      await world.page.getByText(`Question 38 of Talk ${at}`).waitFor();
    };
    for (let at = 0; at < 10; at += 1) await look(at);
    await look(0);
    await world.page.locator('.code .hljs-keyword, .code span').first().waitFor({ state: 'attached' });
    const before = await count(devtools);
    for (let round = 0; round < 5; round += 1) for (let at = 9; at >= 0; at -= 1) await look(at);

    const id = await world.server.createSession();
    world.server.ollama.reply(longAnswer(300));
    await world.page.evaluate(`location.hash = '#/s/${id}'`);
    await expect.poll(() => answers().count()).toBe(0);
    await say('Speak long');
    await stop().waitFor();
    await stop().waitFor({ state: 'detached', timeout: 60_000 });
    await world.page.getByText('Block 299 is').waitFor();
    await look(0);
    await expect.poll(async () => (await count(devtools)).nodes).toBeLessThan(before.nodes * 1.05);
    expect((await count(devtools)).jsEventListeners).toBeLessThan(before.jsEventListeners * 1.05);
  });

  it('draws nothing anew that is settled: neither while an answer grows, nor with a key', {
    timeout: 120_000,
  }, async () => {
    const id = await talk('Still');
    await open(id);
    await world.page.getByText('Question 38 of Still').waitFor();
    await world.page.locator('.code span').first().waitFor({ state: 'attached' });
    await watch('.scroller');
    await composer().pressSequentially('A key stroke each');
    expect(await changes()).toBe(0);
    await composer().fill('');

    world.server.ollama.reply(longAnswer(200));
    await say('Speak long');
    const live = '.row.answer.live .markdown';
    await world.page.getByText('Block 20 is').waitFor();
    // All but the last two blocks, as they are now, and every row above.
    await world.page.evaluate(
      `globalThis.nodes = [...document.querySelectorAll('${live} > *')].slice(0, -2)`,
    );
    await watch(`${live} > :nth-last-child(n + 3), .row:not(.live) .markdown, .row:not(.live) .said`);
    await world.page.getByText('Block 120 is').waitFor();
    expect(await changes()).toBe(0);
    expect(await world.page.evaluate<number>('globalThis.nodes.length')).toBeGreaterThan(15);
    expect(await world.page.evaluate('globalThis.nodes.every((node) => node.isConnected)')).toBe(true);
    await stop().click();
    await stop().waitFor({ state: 'detached' });
  });
});
