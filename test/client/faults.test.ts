// The client through a network that fails: a real server behind a proxy that cuts, mutes, refuses and lies.
import { describe, expect, it } from 'vitest';
import { isMochiError, type MochiError, type Reconnect } from '../../src/client/index.ts';
import { spoken } from '../turns/behave.ts';
import { expectWhole } from '../turns/watching.ts';
import { flakyWorld } from './flaky-world.ts';

const world = flakyWorld();
const { mochi } = world;

const failureOf = async (promise: Promise<unknown>): Promise<MochiError> => {
  const error = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!isMochiError(error)) throw new Error('no error of ours', { cause: error });
  return error;
};

/** What was said, and that it was said once. */
async function expectSaid(text: string, question: string): Promise<void> {
  const messages = await world.server.messages(world.sessionId);
  expect(messages.map(({ role, content }) => [role, content])).toEqual([
    ['user', question],
    ['assistant', text],
  ]);
}

describe('a stream that is cut', () => {
  it('again and again, and refused in between: every event once, in order, one message', async () => {
    const reconnects: Reconnect[] = [];
    world.proxy.always((_request, index) =>
      index % 4 === 3 ? { refuses: true } : { cutAfter: 900 + 137 * index },
    );
    const turn = mochi({ onReconnect: (reconnect) => reconnects.push(reconnect) }).chat.stream(
      world.sessionId,
      {
        message: 'pace 60',
      },
    );
    const events = await Array.fromAsync(turn);
    expectWhole(events);
    expect(reconnects.length).toBeGreaterThan(4);
    expect(reconnects[0]).toMatchObject({ failures: 1, delayMs: 0 });
    await expectSaid(spoken(60), 'pace 60');
    expect(world.proxy.requests.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  it('or ends without its end: that is a loss too', async () => {
    world.proxy.plan({ endAfter: 700 }, { endAfter: 900 });
    expect(await textOf(mochi().chat.stream(world.sessionId, { message: 'pace 30' }).text())).toBe(
      spoken(30),
    );
    await expectSaid(spoken(30), 'pace 30');
  });

  it('or falls silent: given up for another after the idle time', async () => {
    world.proxy.plan({ mutesAfter: 700 });
    const answer = await mochi({ retry: { idleMs: 300 } })
      .chat.stream(world.sessionId, { message: 'pace 30' })
      .answer();
    expect(answer.message.content).toBe(spoken(30));
    await expectSaid(spoken(30), 'pace 30');
  });

  it('is not waited for longer than was said', async () => {
    const turn = mochi({ retry: { reconnectForMs: 300 } }).chat.stream(world.sessionId, {
      message: 'hang 2',
    });
    const turnId = await turn.id;
    world.proxy.always(() => ({ refuses: true }));
    const error = await failureOf(readAll(turn, () => world.proxy.dropAll()));
    expect(error).toMatchObject({ code: 'unreachable', status: null });
    // Nobody decided anything about the turn.
    expect((await world.server.get(`/turns/${turnId}`)).body.state).toBe('running');
    await world.server.post(`/turns/${turnId}/cancel?wait=true`);
  });
});

describe('a request that gets no answer', () => {
  it.each([
    ['refused', { refuses: true }],
    ['lost after it arrived', { losesAnswer: true }],
    ['answered by a gateway', { answers: gateway(502) }],
  ])('%s: the same once more, and one turn', async (_what, fate) => {
    world.proxy.plan(fate, fate);
    const answer = await mochi().chat.send(world.sessionId, { message: 'Hello' });
    expect(answer.message.content).toBe('Fine.');
    world.proxy.plan(fate);
    expect(await textOf(mochi().chat.stream(world.sessionId, { message: 'pace 5' }).text())).toBe(spoken(5));
    expect(await world.server.messages(world.sessionId)).toHaveLength(4);
    const { turns } = (await world.server.get(`/sessions/${world.sessionId}/turns`)).body;
    expect(turns).toHaveLength(2);
  });

  it('is given up after five tries, and says where nobody is', async () => {
    world.proxy.always(() => ({ refuses: true }));
    const before = world.proxy.requests.length;
    const error = await failureOf(
      mochi({ retry: { tries: 3 } }).chat.send(world.sessionId, { message: 'Hello' }),
    );
    expect(error).toMatchObject({ code: 'unreachable', message: expect.stringContaining(world.proxy.url) });
    expect(world.proxy.requests.length - before).toBe(3);
  });

  it('is not repeated where that would do it twice', async () => {
    world.proxy.plan({ losesAnswer: true });
    expect(await failureOf(mochi().sessions.fork(world.sessionId))).toMatchObject({ code: 'unreachable' });
    world.proxy.plan({ losesAnswer: true });
    expect((await mochi().sessions.status(world.sessionId)).session_id).toBe(world.sessionId);
  });
});

async function textOf(text: AsyncIterable<string>): Promise<string> {
  return (await Array.fromAsync(text)).join('');
}

async function readAll(events: AsyncIterable<unknown>, then: () => void): Promise<void> {
  let isFirst = true;
  for await (const _event of events) {
    if (isFirst) then();
    isFirst = false;
  }
}

function gateway(status: number): string {
  const body = '<h1>Bad gateway</h1>';
  return `HTTP/1.1 ${status} Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
}
