// A conversation as state, on a real server, through a network that fails.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatState,
  type ChatStore,
  type ChatStoreOptions,
  createChatStore,
} from '../../src/client/chat-store.ts';
import { createMochi, newKey } from '../../src/client/index.ts';
import { tokens, toolCall } from '../fake-ollama/chat-script.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { eventually } from '../support/eventually.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { spoken } from '../turns/behave.ts';
import { flakyWorld } from './flaky-world.ts';

const world = flakyWorld();
const stores: ChatStore[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});

function open(options: Partial<ChatStoreOptions> = {}, reconnectForMs = 500): ChatStore {
  const mochi = world.mochi({ retry: { tries: 2, reconnectForMs } });
  const store = createChatStore(mochi, {
    sessionId: world.sessionId,
    schedule: (run) => setImmediate(run),
    ...options,
  });
  stores.push(store);
  return store;
}

const until = (store: ChatStore, matches: (state: ChatState) => boolean) =>
  eventually(() => expect(matches(store.getState()), JSON.stringify(shown(store))).toBe(true), {
    interval: 5,
  });
const isRead = ({ session }: ChatState) => session !== null;

/** What a page would draw. */
function shown(store: ChatStore): string[] {
  const { rows, total } = store.getState();
  return Array.from({ length: total }, (_, index) => {
    const row = rows.get(index);
    return row === undefined ? '…' : `${row.role}: ${row.content}`;
  });
}

async function opened(options?: Partial<ChatStoreOptions>, reconnectForMs?: number): Promise<ChatStore> {
  const store = open(options, reconnectForMs);
  await until(store, isRead);
  return store;
}

describe('a conversation', () => {
  it('is read, spoken in, regenerated, continued and edited', async () => {
    const store = await opened();
    await store.send('Hello');
    expect(shown(store)).toEqual(['user: Hello', 'assistant: Fine.']);
    expect(store.getState()).toMatchObject({
      outbox: null,
      problem: null,
      link: 'live',
      total: 2,
      turn: { state: 'completed', content: 'Fine.' },
      session: { message_count: 2, active_turn: null },
    });
    await store.regenerate();
    expect(shown(store)).toEqual(['user: Hello', 'assistant: Fine.']);
    expect(store.getState().rows.get(1)?.sibling_count).toBe(2);
    await store.send('pace 3');
    await store.goOn();
    expect(shown(store)).toHaveLength(5);
    await store.edit(store.getState().rows.get(2)?.message_id ?? '', 'pace 2');
    expect(shown(store)).toEqual([
      'user: Hello',
      'assistant: Fine.',
      'user: pace 2',
      `assistant: ${spoken(2)}`,
    ]);
    await store.regenerate(store.getState().rows.get(1)?.message_id);
    expect(shown(store)).toEqual(['user: Hello', 'assistant: Fine.']);
    expect(store.getState().rows.get(1)?.sibling_count).toBe(3);
  });

  it('shows another branch, and another model', async () => {
    const store = await opened();
    await store.send('Hello');
    await store.send('More');
    const first = store.getState().rows.get(1)?.message_id ?? '';
    await store.regenerate(first);
    expect(store.getState().total).toBe(2);
    await store.showBranch(first);
    expect(shown(store)).toEqual(['user: Hello', 'assistant: Fine.', 'user: More', 'assistant: Fine.']);
    await store.setModel('qwen3:14b');
    expect(store.getState().session?.model).toBe('qwen3:14b');
  });

  it('is drawn while it is spoken: the rows stay as they are, a delta changes the turn alone', async () => {
    const store = await opened();
    const seen = new Map<string, ChatState['rows']>();
    let told = 0;
    store.subscribe(() => {
      told += 1;
      const { turn, rows } = store.getState();
      if (turn?.phase === 'generating') seen.set(turn.content, rows);
    });
    await store.send('pace 40');
    expect(seen.size).toBeGreaterThan(10);
    expect(new Set(seen.values()).size).toBeLessThan(5);
    expect(told).toBeLessThan(120);
    for (const text of seen.keys()) expect(spoken(40).startsWith(text)).toBe(true);
  });

  it('has pages: the newest are read first, others when they are asked for', async () => {
    const store = await opened();
    for (const text of ['one', 'two', 'three', 'four']) await store.send(text);
    const later = await opened({ pageSize: 3 });
    expect(shown(later)).toEqual([
      '…',
      '…',
      '…',
      '…',
      '…',
      'assistant: Fine.',
      'user: four',
      'assistant: Fine.',
    ]);
    await later.load(2, 7);
    expect(shown(later).slice(0, 4)).toEqual(['…', '…', 'user: two', 'assistant: Fine.']);
    const before = world.proxy.requests.length;
    await later.load(2, 8);
    expect(world.proxy.requests.length).toBe(before);
    await later.send('five');
    expect(shown(later).slice(-2)).toEqual(['user: five', 'assistant: Fine.']);
  });
});

describe('a reload', () => {
  it.each(['mute', 'speak', 'tool'])(
    'in the middle of "%s" shows what was shown, to the end',
    async (message) => {
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      if (message.startsWith('tool'))
        world.server.ollama.reply(toolCall('look', { at: 'it' }, { id: 'call_1' }));
      if (message !== 'mute') world.server.ollama.reply(script(tokens(60), gateAfter(20, held)));
      const before = await opened();
      void before.send(message);
      await until(before, ({ turn }) =>
        message === 'mute'
          ? turn?.phase === 'evaluating_prompt' || turn?.phase === 'loading_model'
          : (turn?.content.length ?? 0) > 9,
      );
      const { turn } = before.getState();
      before.close();
      const after = await opened();
      await until(
        after,
        ({ turn: joined }) =>
          joined?.turnId === turn?.turnId && (joined?.content.length ?? 0) >= (turn?.content.length ?? 0),
      );
      letGo();
      if (message === 'mute') await after.stop();
      await until(after, ({ turn }) => turn?.state === 'completed' || turn?.state === 'cancelled');
      await until(after, ({ session }) => session?.active_turn === null);
      const said = (await world.server.messages(world.sessionId)).map(
        ({ role, content }) => `${role}: ${content}`,
      );
      expect(shown(after)).toEqual(said);
      expect(said.filter((line) => line.startsWith('user'))).toHaveLength(1);
      if (message !== 'mute') expect(said.at(-1)).toBe(`assistant: ${spoken(60)}`);
    },
  );
});

describe('what is stopped', () => {
  it('keeps its part, and can be gone on with', async () => {
    const store = await opened();
    const sent = store.send('hang 3');
    await until(store, ({ turn }) => turn?.content === spoken(3));
    await store.stop();
    await sent;
    expect(store.getState()).toMatchObject({ turn: { state: 'cancelled' }, problem: null });
    expect(store.getState().rows.get(1)).toMatchObject({ status: 'partial', content: spoken(3) });
  });

  it('fails and is tried again', async () => {
    const store = await opened();
    await store.send('fail 2');
    expect(store.getState()).toMatchObject({
      turn: { state: 'failed', error: { code: 'ollama_error' } },
      problem: null,
    });
    world.server.ollama.reply({ steps: [{ type: 'final', message: { content: 'Now.' }, fields: {} }] });
    await store.retry();
    expect(shown(store)).toEqual(['user: fail 2', 'assistant: Now.']);
  });
});

describe('a network that fails', () => {
  it('in the middle of an answer is told, and made up for', async () => {
    const store = await opened();
    const links = new Set<string>();
    store.subscribe(() => links.add(store.getState().link));
    world.proxy.always((request, index) => (/stream/.test(request) ? { cutAfter: 800 + 60 * index } : {}));
    await store.send('pace 60');
    expect(shown(store)).toEqual(['user: pace 60', `assistant: ${spoken(60)}`]);
    expect(store.getState()).toMatchObject({ link: 'live', problem: null });
    expect([...links]).toContain('live');
  });

  it('before anything was accepted: the message waits in the outbox, and is sent once', async () => {
    const store = await opened();
    world.proxy.always(() => ({ losesAnswer: true }));
    await store.send('Hello');
    expect(store.getState()).toMatchObject({
      outbox: { state: 'failed', body: { message: 'Hello' } },
      link: 'offline',
      problem: { code: 'unreachable' },
    });
    world.proxy.plan();
    await store.retry();
    expect(shown(store)).toEqual(['user: Hello', 'assistant: Fine.']);
    expect(store.getState()).toMatchObject({ outbox: null, link: 'live', problem: null });
    expect((await world.server.get(`/sessions/${world.sessionId}/turns`)).body.turns).toHaveLength(1);
  });

  it('since its server was killed: what is sent meanwhile, behind a turn that goes on, is lost by nothing, and sent once', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'mochi-store-'));
    const start = () => spawnServer({ dataDir, ollamaHost: world.server.ollama.url });
    let server = await start();
    try {
      world.proxy.redirect(server.url);
      const sessionId = await server.createSession();
      const store = await opened({ sessionId }, 60_000);
      const first = store.send('hang 3');
      await until(store, ({ turn }) => turn?.content === spoken(3));
      await server.kill('SIGKILL');
      void store.send('And now?');
      await until(store, ({ outbox }) => outbox?.state === 'failed');
      expect(store.getState()).toMatchObject({ link: 'offline', turn: { content: spoken(3) } });
      // A server that was started anew tells the old turn in a snapshot: that says nothing of the message.
      server = await start();
      world.proxy.always((line) => ({ refuses: line.startsWith('POST') }));
      world.proxy.redirect(server.url);
      store.check();
      await first;
      await until(store, ({ outbox }) => outbox?.state === 'failed');
      expect(store.getState()).toMatchObject({
        turn: { state: 'interrupted' },
        outbox: { body: { message: 'And now?' } },
      });
      world.proxy.plan();
      store.check();
      await until(
        store,
        ({ outbox }) =>
          outbox === null && shown(store).slice(-2).join() === 'user: And now?,assistant: Fine.',
      );
      expect(store.getState()).toMatchObject({ link: 'live', problem: null });
      expect((await server.get(`/sessions/${sessionId}/turns`)).body.turns).toHaveLength(2);
    } finally {
      await server.kill('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('that is given up: what the turn became is asked when there is a network, and a message goes then', async () => {
    const store = await opened({}, 50);
    const first = store.send('hang 3');
    await until(store, ({ turn }) => turn?.content === spoken(3));
    world.proxy.always(() => ({ refuses: true }));
    world.proxy.dropAll();
    await first;
    expect(store.getState()).toMatchObject({ link: 'offline', turn: { content: spoken(3) } });
    const { turnId } = store.getState().turn ?? {};
    await world.server.post(`/turns/${turnId}/cancel?wait=true`);
    await store.send('And now?');
    // It has not begun, so it is no turn.
    expect(store.getState()).toMatchObject({ outbox: { state: 'failed' }, turn: { turnId } });
    world.proxy.plan();
    store.check();
    const whole = ['user: hang 3', `assistant: ${spoken(3)}`, 'user: And now?', 'assistant: Fine.'];
    await until(store, ({ outbox }) => outbox === null && shown(store).join() === whole.join());
  });

  it('and a page that was closed meanwhile: its outbox is kept by whoever keeps it', async () => {
    const body = { message: 'Hello' };
    const key = newKey();
    await createMochi({ baseUrl: world.server.url })
      .chat.stream(world.sessionId, body, { idempotencyKey: key })
      .answer();
    const store = await opened({ outbox: { key, body, state: 'sending' } });
    expect(store.getState().outbox?.state).toBe('failed');
    await store.retry();
    expect(store.getState().outbox).toBeNull();
    expect(shown(store)).toEqual(['user: Hello', 'assistant: Fine.']);
  });

  it('while it is opened: what can be read is read by a retry', async () => {
    world.proxy.always(() => ({ refuses: true }));
    const store = open();
    await until(store, ({ problem }) => problem?.code === 'unreachable');
    expect(store.getState()).toMatchObject({ link: 'offline', session: null });
    world.proxy.plan();
    await store.retry();
    expect(store.getState()).toMatchObject({
      link: 'live',
      problem: null,
      session: { session_id: world.sessionId },
    });
  });

  it('and wakes: the connection is renewed at once, not after the idle time', async () => {
    const store = await opened();
    world.proxy.plan({ mutesAfter: 1700 });
    const sent = store.send('pace 30');
    await until(store, ({ turn }) => (turn?.content.length ?? 0) > 0);
    await eventually(async () =>
      expect((await world.server.get(`/sessions/${world.sessionId}`)).body.active_turn).toBeNull(),
    );
    expect(store.getState().turn?.state).toBe('running');
    store.check();
    await sent;
    expect(shown(store).at(-1)).toBe(`assistant: ${spoken(30)}`);
  });
});

describe('a page', () => {
  const document = Object.assign(new EventTarget(), { hidden: true });
  const window = new EventTarget();
  const page = {
    document,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  };
  const look = (isHidden: boolean) => {
    document.hidden = isHidden;
    document.dispatchEvent(new Event('visibilitychange'));
  };
  beforeAll(() => void Object.assign(globalThis, page));
  afterAll(() => {
    for (const name of Object.keys(page)) Reflect.deleteProperty(globalThis, name);
  });

  it('that is looked at again, or has a network again, looks at once; and no more when it is closed', async () => {
    const store = await opened();
    const asked = () => world.proxy.requests.filter((line) => line.includes('/status')).length;
    const before = asked();
    look(true);
    look(false);
    await eventually(() => expect(asked()).toBe(before + 1));
    window.dispatchEvent(new Event('online'));
    await eventually(() => expect(asked()).toBe(before + 2));
    store.close();
    window.dispatchEvent(new Event('online'));
    look(false);
    await world.server.get(`/sessions/${world.sessionId}/status`);
    expect(asked()).toBe(before + 2);
  });

  it('that nobody looks at holds no stream, asks now and then, and goes on when it is looked at', async () => {
    look(false);
    const store = await opened({ hidden: { afterMs: 1, everyMs: 20 } });
    const streams = (polled: boolean) =>
      world.proxy.requests.filter(
        (line) => /^GET .*\/stream/.test(line) && line.includes('follow=false') === polled,
      );
    const sent = store.send('hang 2');
    await until(store, ({ turn }) => turn?.content === spoken(2));
    look(true);
    await eventually(() => expect(streams(true).length).toBeGreaterThan(2));
    expect(store.getState()).toMatchObject({ link: 'live', problem: null });
    const before = streams(false).length;
    look(false);
    await eventually(() => expect(streams(false).length).toBe(before + 1));
    await store.stop();
    await sent;
    expect(shown(store)).toEqual(['user: hang 2', `assistant: ${spoken(2)}`]);
  });

  it('that was hidden before its turn was there polls from the first', async () => {
    const store = await opened({ hidden: { afterMs: 1, everyMs: 20 } });
    look(true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const before = world.proxy.requests.length;
    await store.send('pace 20');
    const streams = world.proxy.requests.slice(before).filter((line) => /\/stream[? ]/.test(line));
    expect(streams.filter((line) => line.startsWith('GET') && !line.includes('follow=false'))).toEqual([]);
    expect(streams.length).toBeGreaterThan(1);
    expect(shown(store)).toEqual(['user: pace 20', `assistant: ${spoken(20)}`]);
  });
});

describe('two at a time', () => {
  /** A store whose n-th request of a kind is held, from now on: before it is sent, or with its answer. */
  async function held(kind: RegExp, at: 'request' | 'answer') {
    const { promise, resolve: letGo } = Promise.withResolvers<void>();
    let isArmed = false;
    let isHeld = false;
    const mochi = createMochi({
      baseUrl: world.server.url,
      async fetch(address, init) {
        const isOne =
          isArmed && typeof address === 'string' && kind.test(`${init?.method ?? 'GET'} ${address}`);
        if (isOne) {
          isArmed = false;
          isHeld = true;
        }
        if (isOne && at === 'request') await promise;
        const response = await fetch(address, init);
        if (isOne && at === 'answer') await promise;
        return response;
      },
    });
    const store = createChatStore(mochi, {
      sessionId: world.sessionId,
      schedule: (run) => setImmediate(run),
    });
    stores.push(store);
    await until(store, isRead);
    isArmed = true;
    return { store, letGo, untilHeld: () => eventually(() => expect(isHeld).toBe(true)) };
  }

  it('of answers about the conversation the newer counts, whichever comes last', async () => {
    const { store, letGo, untilHeld } = await held(/^GET .*\/status$/, 'answer');
    const first = store.setModel('qwen3:14b');
    await untilHeld();
    await store.setModel('tiny:latest');
    letGo();
    await first;
    expect(store.getState().session?.model).toBe('tiny:latest');
  });

  it.each([
    [
      'models',
      /^PATCH /,
      (store: ChatStore, index: number) => store.setModel(['qwen3:14b', 'tiny:latest'][index] ?? ''),
    ],
    [
      'branches',
      /^PUT .*\/head$/,
      async (store: ChatStore, index: number) => {
        const { messages } = (await world.server.get(`/sessions/${world.sessionId}/tree`)).body;
        const answers = messages.filter(({ role }: { role: string }) => role === 'assistant');
        await store.showBranch(answers[index].message_id);
      },
    ],
  ])(
    'of %s that are chosen the last counts, whichever request would be the quicker one',
    async (_, kind, choose) => {
      const { store, letGo, untilHeld } = await held(kind, 'request');
      await store.send('Hello');
      await store.regenerate();
      const shownNow = async () => {
        const { model } = (await world.server.get(`/sessions/${world.sessionId}`)).body;
        const { message_id: id } = (await world.server.messages(world.sessionId))[1];
        return [model, id];
      };
      const first = choose(store, 0);
      await untilHeld();
      const second = choose(store, 1);
      // Long enough for a second one that does not wait.
      await new Promise((resolve) => setTimeout(resolve, 100));
      letGo();
      await Promise.all([first, second]);
      const now = await shownNow();
      await choose(store, 1);
      expect(now).toEqual(await shownNow());
    },
  );

  it('a second message waits for its turn, and each is shown to its end', async () => {
    const store = await opened();
    const first = store.send('pace 20');
    await until(store, ({ outbox, turn }) => outbox === null && turn?.phase === 'generating');
    const second = store.send('pace 5');
    await expect(store.send('third')).rejects.toThrow(/One message at a time/);
    await Promise.all([first, second]);
    expect(shown(store)).toEqual([
      'user: pace 20',
      `assistant: ${spoken(20)}`,
      'user: pace 5',
      `assistant: ${spoken(5)}`,
    ]);
  });

  it('what is changed elsewhere is read anew, and a turn that began there is joined', async () => {
    const store = await opened();
    await store.send('Hello');
    const mochi = createMochi({ baseUrl: world.server.url });
    const listening = new AbortController();
    const heard = (async () => {
      for await (const event of mochi.events({ signal: listening.signal })) store.notice(event);
    })().catch(() => undefined);
    const first = store.getState().rows.get(0)?.message_id ?? '';
    await mochi.chat.send(world.sessionId, { message: 'pace 3', replaces: first });
    await until(store, () => shown(store).join() === `user: pace 3,assistant: ${spoken(3)}`);
    await mochi.sessions.setHead(world.sessionId, { message_id: first, descend: true });
    await until(store, () => shown(store).join() === 'user: Hello,assistant: Fine.');
    const turn = mochi.chat.stream(world.sessionId, { message: 'hang 2' }, { leave: 'continue' });
    await until(store, (state) => state.turn?.content === spoken(2));
    await store.stop();
    expect((await mochi.turns.get(await turn.id)).state).toBe('cancelled');
    await mochi.sessions.delete(world.sessionId);
    await until(store, ({ problem }) => problem?.code === 'session_not_found');
    listening.abort();
    await heard;
  });

  it('a session that is gone is told', async () => {
    const store = await opened();
    await world.server.request('DELETE', `/sessions/${world.sessionId}`);
    await store.send('Hello');
    expect(store.getState()).toMatchObject({
      problem: { code: 'session_not_found' },
      outbox: { state: 'failed' },
    });
  });
});

describe('a tool that needs a person', () => {
  beforeAll(async () => {
    const folder = join(world.server.dataDir, 'tools', 'looks');
    await mkdir(folder, { recursive: true });
    const entry = `import { defineTool } from 'mochi-server/tools';
const inputSchema = { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] };
export const look = defineTool({ description: 'Looks.', inputSchema, execute: async () => 'seen' });
`;
    await writeFile(join(folder, 'index.mts'), entry);
    await world.server.post('/tools/reload');
  });
  const settings = { tool_settings: { tools: ['look'], execution_policy: 'always_confirm' as const } };

  it('is asked about, decided, and decided once; a page that is opened meanwhile is asked, too', async () => {
    const store = await opened();
    const sent = store.send('tool Hello', settings);
    await until(store, ({ turn }) => turn?.approvals.length === 1);
    expect(store.getState().turn).toMatchObject({ state: 'waiting', phase: 'waiting_for_approval' });
    const other = await opened();
    await until(other, ({ turn }) => turn?.approvals.length === 1);
    const [approval] = other.getState().turn?.approvals ?? [];
    const id = approval?.confirmation_id ?? '';
    await other.decide(id, { decision: 'approve' });
    await sent;
    expect(store.getState()).toMatchObject({
      turn: {
        state: 'completed',
        approvals: [],
        toolCalls: [{ name: 'look', success: true, result: 'seen' }],
      },
      problem: null,
    });
    expect(shown(store)).toEqual(['user: tool Hello', 'assistant: ', 'tool: seen', 'assistant: Fine.']);
    await store.decide(id, { decision: 'deny' });
    expect(store.getState().problem).toMatchObject({ code: 'approval_decided' });
  });
});
