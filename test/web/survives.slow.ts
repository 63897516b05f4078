// An answer and everything that may break it: reloads in every phase, networks that cut and hold back, servers that die.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ChatScript, text, thinking, tokens } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import type { ScriptedTool } from '../support/scripted-source.ts';
import { succeeded } from '../support/scripted-source.ts';
import { ADD, startToolServer } from '../support/server-with-tools.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { describePage, openedPage } from './opened-page.ts';

let finishWork: () => void = () => undefined;
const WORK: ScriptedTool = {
  name: 'work',
  run: async () => {
    await new Promise<void>((resolve) => {
      finishWork = resolve;
    });
    return succeeded('worked');
  },
};

const world = openedPage(() => startToolServer([ADD, WORK], { ollama: { programs: {} } }));
const { open, answers, composer, said, stop, say, textsOf, expectComplaints } = world;

const ANSWER = 'The capital of France is Paris.';
const status = (words: string | RegExp) =>
  world.page.getByRole('status').filter({ hasText: words }).waitFor();

/** A promise, and what keeps it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opens: promise, open: () => resolve() };
}

/** One message, and the answer as the server has it. */
async function expectWhole(id: string, answer: string): Promise<void> {
  await expect.poll(async () => (await answers().allInnerTexts()).at(-1), { timeout: 40_000 }).toBe(answer);
  await stop().waitFor({ state: 'detached' });
  expect(await said().allInnerTexts()).toEqual(['Hello']);
  const messages = await textsOf(id);
  expect(messages.filter(([role]) => role === 'user')).toEqual([['user', 'Hello']]);
  expect(messages.at(-1)?.[1].trim()).toBe(answer);
}

interface Phase {
  readonly model?: string;
  readonly tools?: Readonly<Record<string, unknown>>;
  /** Before the message is sent. @returns what lets the phase end */
  readonly hold: () => () => unknown;
  /** It is there. */
  readonly seen: () => Promise<unknown>;
  readonly thinks?: boolean;
  readonly answer?: string;
}

const PHASES: Readonly<Record<string, Phase>> = {
  'while a model is loaded': {
    model: 'tiny:latest',
    hold: () => {
      world.server.ollama.loadDelayMs = 2500;
      return () => {
        world.server.ollama.loadDelayMs = 0;
      };
    },
    seen: () => status('Loading tiny:latest'),
  },
  'while the conversation is read': {
    hold: () => hold(text(ANSWER), 0),
    seen: () => status(/Reading the conversation|Loading/),
  },
  'while it thinks': {
    model: 'qwen3:14b',
    thinks: true,
    hold: () => hold(thinking(['Let me', ' see.'], [ANSWER]), 1),
    seen: () => world.page.locator('details.thoughts').getByText('Let me').waitFor(),
  },
  'while it writes': {
    hold: () => hold(tokens(12), 6),
    seen: () => world.page.getByText('t0 t1 t2 t3 t4 t5').waitFor(),
    answer: 't0 t1 t2 t3 t4 t5 t6 t7 t8 t9 t10 t11',
  },
  'while a tool runs': {
    model: 'early-tool',
    tools: { tools: ['work'], execution_policy: 'never_confirm' },
    hold: () => () => finishWork(),
    seen: async () => {
      await status('Using a tool');
      await world.page.locator('details.tool').getByText('runs').waitFor();
    },
    answer: 'The tool answered: worked',
  },
  'while it waits for a person': {
    model: 'early-tool',
    tools: { tools: ['add_numbers'], execution_policy: 'always_confirm' },
    hold: () => () => world.page.getByRole('button', { name: 'Approve once' }).click(),
    seen: () => world.page.getByText('May this run?').waitFor(),
    answer: 'The tool answered: 2',
  },
};

/** The next answer stops after so many pieces. @returns what lets it go on */
function hold(answer: ChatScript, pieces: number): () => void {
  const { opens, open } = gate();
  world.server.ollama.reply(script(answer, gateAfter(pieces, opens)));
  return open;
}

describePage('an answer survives a reload', () => {
  it.each(Object.entries(PHASES))(
    '%s',
    async (_name, { model, tools, hold, seen, thinks = false, answer = ANSWER }) => {
      const settings = model === undefined ? {} : { model };
      const id = await (tools === undefined
        ? world.server.createSession(settings)
        : world.server.toolSession(tools['tools'] as string[], { ...settings, tool_settings: tools }));
      const release = hold();
      await open(id);
      if (thinks) await world.page.getByLabel('Thinking before the answer').selectOption('Think');
      await say('Hello');
      await seen();
      await world.page.reload();
      await seen();
      await release();
      await expectWhole(id, answer);
    },
  );

  it('while it waits in line', async () => {
    const id = await world.server.createSession();
    const release = hold(text('First.'), 0);
    const first = world.server.post(`/chat/${id}`, { message: 'Before' });
    await world.server.ollama.waitForRequest('/api/chat', ({ body }) =>
      JSON.stringify(body).includes('Before'),
    );
    await open(id);
    // What goes on there is joined first: the message is sent meanwhile.
    await stop().waitFor();
    await composer().fill('Hello');
    await composer().press('Enter');
    await expect
      .poll(async () => (await world.server.get(`/sessions/${id}/turns`)).body.turns.length)
      .toBe(2);
    await world.page.getByText('Waiting for its turn').waitFor();
    await world.page.reload();
    await world.page.getByText('Waiting for its turn').waitFor();
    release();
    await first;
    await expect.poll(() => said().allInnerTexts()).toEqual(['Before', 'Hello']);
    await expect.poll(() => answers().allInnerTexts()).toEqual(['First.', ANSWER]);
    expect((await textsOf(id)).map(([role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
  });
});

describePage('an answer survives a network', () => {
  it('that cuts its stream twenty times', async () => {
    const proxy = await startCuttingProxy(world.server.url);
    expectComplaints(/ERR_/);
    try {
      const id = await world.server.createSession({ model: 'flood' });
      await open(id, { address: proxy.url });
      let cuts = 0;
      proxy.always((line) => {
        if (!/\/stream[? ]/.test(line) || cuts === 20) return {};
        cuts += 1;
        return { [cuts % 2 === 0 ? 'cutAfter' : 'endAfter']: 2000, cutLaterMs: 120 };
      });
      await say('Hello');
      await expectWhole(id, Array.from({ length: 400 }, (_, at) => `t${at}`).join(' '));
      expect(cuts).toBe(20);
    } finally {
      await world.context.close();
      await proxy.close();
    }
  }, 60_000);

  it('that holds streams back: it asks again and again, and says so', async () => {
    const proxy = await startCuttingProxy(world.server.url);
    const isStream = /\/(stream|events)[? ]/;
    proxy.always((line) => (isStream.test(line) && !line.includes('follow=false') ? { mutesAfter: 0 } : {}));
    try {
      const id = await world.server.createSession();
      const release = hold(text('The capital', ' of France is', ' Paris.'), 1);
      await open(id, { address: proxy.url, hasClock: true });
      await say('Hello');
      await world.server.ollama.waitForRequest('/api/chat', ({ body }) =>
        JSON.stringify(body).includes('Hello'),
      );
      await world.page.clock.fastForward(36_000);
      await status('Asking again and again');
      await world.page.getByText('The capital').waitFor();
      release();
      await expectWhole(id, ANSWER);
    } finally {
      await world.context.close();
      await proxy.close();
    }
  });
});

describePage('an answer survives its server', () => {
  it('that is killed in its middle: the part stays, and can be gone on with', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'mochi-page-'));
    const start = () => spawnServer({ dataDir, ollamaHost: world.server.ollama.url });
    let server = await start();
    const proxy = await startCuttingProxy(server.url);
    expectComplaints(/ERR_|50\d/);
    try {
      const id = await server.createSession({ model: 'endless' });
      await open(id, { address: proxy.url });
      await say('Hello');
      await world.page.getByText('t0 t1 t2').waitFor();
      await composer().fill('Half a thought');
      await server.kill('SIGKILL');
      await status(/connection was lost|cannot be reached/);
      expect(await answers().first().innerText()).toContain('t0 t1 t2');
      server = await start();
      proxy.redirect(server.url);
      await world.page.getByText('The server was stopped').waitFor();
      await stop().waitFor({ state: 'detached' });
      const messages = await server.messages(id);
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      await expect.poll(() => answers().allInnerTexts()).toEqual([messages[1]?.content.trim()]);
      expect(await composer().inputValue()).toBe('Half a thought');
      await server.request('PATCH', `/sessions/${id}`, { model: 'llama3.2:latest' });
      await world.page.getByRole('button', { name: 'Continue' }).click();
      await expect.poll(async () => (await answers().allInnerTexts()).join(' ')).toContain(ANSWER);
    } finally {
      await world.context.close();
      await proxy.close();
      await server.kill('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it.each(['in its middle', 'while nothing goes on'])(
    'that is killed %s: what is sent meanwhile is kept, and goes when it is back',
    async (moment) => {
      const isMidst = moment === 'in its middle';
      const dataDir = await mkdtemp(join(tmpdir(), 'mochi-page-'));
      const start = () => spawnServer({ dataDir, ollamaHost: world.server.ollama.url });
      let server = await start();
      const proxy = await startCuttingProxy(server.url);
      expectComplaints(/ERR_|50\d/);
      try {
        const id = await server.createSession({ model: isMidst ? 'endless' : 'tiny:latest' });
        await open(id, { address: proxy.url });
        await say('Hello');
        await (isMidst ? world.page.getByText('t0 t1 t2').waitFor() : answers().getByText(ANSWER).waitFor());
        // The text is there before the end is.
        if (!isMidst) await stop().waitFor({ state: 'detached' });
        await server.kill('SIGKILL');
        await say('Sent while it was away');
        await world.page.getByText('has not reached the server').waitFor();
        await status('cannot be reached');
        if (!isMidst) await stop().waitFor({ state: 'detached' });
        const kept = await world.page.evaluate(`localStorage.getItem('mochi.outbox.${id}')`);
        expect(kept).toContain('Sent while it was away');
        server = await start();
        await server.request('PATCH', `/sessions/${id}`, { model: 'llama3.2:latest' });
        proxy.redirect(server.url);
        await expect
          .poll(() => said().allInnerTexts(), { timeout: 20_000 })
          .toEqual(['Hello', 'Sent while it was away']);
        await expect.poll(() => answers().count()).toBe(2);
        await expect.poll(async () => (await answers().allInnerTexts()).at(-1)).toBe(ANSWER);
        await stop().waitFor({ state: 'detached' });
        await expect.poll(() => world.page.getByText('cannot be reached').count()).toBe(0);
        await expect.poll(() => world.page.getByText('has not reached the server').count()).toBe(0);
        const users = (await server.messages(id)).filter(({ role }) => role === 'user');
        expect(users.map(({ content }) => content)).toEqual(['Hello', 'Sent while it was away']);
        await expect.poll(() => world.page.evaluate(`localStorage.getItem('mochi.outbox.${id}')`)).toBeNull();
      } finally {
        await world.context.close();
        await proxy.close();
        await server.kill('SIGKILL');
        await rm(dataDir, { recursive: true, force: true });
      }
    },
    30_000,
  );
});
