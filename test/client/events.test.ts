// What happens on the server, and turns, for whoever cannot hold a connection; and pulls whose connection breaks.
import { describe, expect, it } from 'vitest';
import type { Link, ServerEvent } from '../../src/client/index.ts';
import { spoken } from '../turns/behave.ts';
import { expectWhole } from '../turns/watching.ts';
import { flakyWorld } from './flaky-world.ts';

const world = flakyWorld();
const { mochi } = world;

/** As React Native has it: an answer comes whole, and has no body to read from. */
const withoutBody: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  return Object.defineProperty(response, 'body', { value: null });
};

describe.each([
  ['a client that polls', { transport: 'poll' as const }],
  ['a fetch without bodies', { fetch: withoutBody }],
])('%s', (_who, options) => {
  it('sees a turn whole, event by event, and what happens on the server', async () => {
    const links: Link[] = [];
    const { turn_id: turnId } = await mochi().chat.send(world.sessionId, { message: 'pace 8' });
    const events = await Array.fromAsync(
      mochi(options).turns.watch(turnId, { onLink: (link) => links.push(link) }),
    );
    expectWhole(events);
    expect(links.every((link) => link === 'polling')).toBe(true);
    const seen: ServerEvent[] = [];
    for await (const event of mochi(options).events()) {
      seen.push(event);
      if (event.event === 'hello' && seen.length === 1)
        void mochi().sessions.update(world.sessionId, { title: 'Told' });
      if (event.event === 'session' && event.data.title === 'Told') break;
    }
    expect(seen[0]?.event).toBe('hello');
  });

  it('asks, and sees the answer to its end', async () => {
    const events = await Array.fromAsync(mochi(options).chat.stream(world.sessionId, { message: 'pace 10' }));
    expectWhole(events);
    expect(await world.server.messages(world.sessionId)).toHaveLength(2);
  });

  it('follows a turn that goes on', async () => {
    const turnId = await mochi().chat.stream(world.sessionId, { message: 'pace 30' }, { leave: 'continue' })
      .id;
    const answer = await mochi(options).turns.watch(turnId).answer();
    expect(answer.message.content).toBe(spoken(30));
  });
});

it('where something on the way holds streams back, the client polls by itself', async () => {
  const turnId = await mochi().chat.stream(world.sessionId, { message: 'pace 30' }, { leave: 'continue' }).id;
  const links: Link[] = [];
  // Heads pass, bytes of the body do not, unless the answer ends.
  world.proxy.always((request) => (request.includes('follow=false') ? {} : { mutesAfter: 200 }));
  const watching = mochi({ retry: { idleMs: 200 } }).turns.watch(turnId, {
    onLink: (link) => links.push(link),
  });
  expect((await watching.answer()).message.content).toBe(spoken(30));
  expect(links.at(-1)).toBe('polling');
});

it('where not even the head of an answer comes before its end, a chat begins with what there is', async () => {
  world.proxy.always((request) => (request.includes('follow=false') ? {} : { mutesAfter: 0 }));
  const links: Link[] = [];
  const turn = mochi({ retry: { idleMs: 200 } }).chat.stream(
    world.sessionId,
    { message: 'pace 30' },
    { onLink: (link) => links.push(link) },
  );
  expect((await turn.answer()).message.content).toBe(spoken(30));
  expect(links.at(-1)).toBe('polling');
  expect(await world.server.messages(world.sessionId)).toHaveLength(2);
});

describe('what happens on the server', () => {
  it('is told over connections that break, each thing as it stands, until it is left', async () => {
    world.proxy.always((request, index) =>
      request.includes('/events') ? { cutAfter: 600 + index * 40 } : {},
    );
    const client = mochi();
    const states: string[] = [];
    let hellos = 0;
    for await (const event of client.events()) {
      if (event.event === 'hello') {
        hellos += 1;
        if (hellos === 1) void client.chat.send(world.sessionId, { message: 'pace 5' });
      }
      if (event.event !== 'turn' || event.data.session_id !== world.sessionId) continue;
      states.push(event.data.state);
      if (event.data.state === 'completed') break;
    }
    expect(states.at(-1)).toBe('completed');
  });

  it('ends with the signal', async () => {
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of mochi().events({ signal: stop.signal }))
        if (event.event === 'hello') stop.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('a pull', () => {
  it('is told to its end, over a connection that breaks', async () => {
    world.proxy.plan({ cutAfter: 400 }, { refuses: true });
    const events = await Array.fromAsync(mochi().models.pull('fresh-model', { leave: 'continue' }));
    expect(events.at(-1)).toEqual({ event: 'done', data: { name: 'fresh-model' } });
    expect((await mochi().models.get('fresh-model')).name).toBe('fresh-model:latest');
  });

  it('tells why it failed', async () => {
    const events = Array.fromAsync(mochi().models.pull('missing'));
    const last = await events.then(
      (all) => all.at(-1),
      (error: unknown) => error,
    );
    expect(JSON.stringify(last) + String(last)).toMatch(/file does not exist/);
  });
});
