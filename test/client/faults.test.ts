// The client through a network that fails: a real server behind a proxy that cuts, mutes, refuses and lies.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createMochi,
  isMochiError,
  type MochiError,
  type MochiOptions,
  type Reconnect,
} from '../../src/client/index.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave, spoken } from '../turns/behave.ts';
import { expectWhole } from '../turns/watching.ts';

let server: TestServer;
let proxy: CuttingProxy;
let sessionId: string;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
  proxy = await startCuttingProxy(server.url);
});
afterAll(async () => {
  await proxy.close();
  await server.close();
});
beforeEach(async () => {
  proxy.plan();
  proxy.redirect(server.url);
  sessionId = await server.createSession();
});

/** Quick where the defaults are patient. */
const mochi = (options: MochiOptions = {}) =>
  createMochi({ baseUrl: proxy.url, ...options, retry: { firstDelayMs: 10, ...options.retry } });

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
  const messages = await server.messages(sessionId);
  expect(messages.map(({ role, content }) => [role, content])).toEqual([
    ['user', question],
    ['assistant', text],
  ]);
}

describe('a stream that is cut', () => {
  it('again and again, and refused in between: every event once, in order, one message', async () => {
    const reconnects: Reconnect[] = [];
    proxy.always((_request, index) =>
      index % 4 === 3 ? { refuses: true } : { cutAfter: 900 + 137 * index },
    );
    const turn = mochi({ onReconnect: (reconnect) => reconnects.push(reconnect) }).chat.stream(sessionId, {
      message: 'pace 60',
    });
    const events = await Array.fromAsync(turn);
    expectWhole(events);
    expect(reconnects.length).toBeGreaterThan(4);
    expect(reconnects[0]).toMatchObject({ failures: 1, delayMs: 0 });
    await expectSaid(spoken(60), 'pace 60');
    expect(proxy.requests.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  it('or ends without its end: that is a loss too', async () => {
    proxy.plan({ endAfter: 700 }, { endAfter: 900 });
    expect(await textOf(mochi().chat.stream(sessionId, { message: 'pace 30' }).text())).toBe(spoken(30));
    await expectSaid(spoken(30), 'pace 30');
  });

  it('or falls silent: given up for another after the idle time', async () => {
    proxy.plan({ mutesAfter: 700 });
    const answer = await mochi({ retry: { idleMs: 300 } })
      .chat.stream(sessionId, { message: 'pace 30' })
      .answer();
    expect(answer.message.content).toBe(spoken(30));
    await expectSaid(spoken(30), 'pace 30');
  });

  it('is not waited for longer than was said', async () => {
    const turn = mochi({ retry: { reconnectForMs: 300 } }).chat.stream(sessionId, { message: 'hang 2' });
    const turnId = await turn.id;
    proxy.always(() => ({ refuses: true }));
    const error = await failureOf(readAll(turn, () => proxy.dropAll()));
    expect(error).toMatchObject({ code: 'unreachable', status: null });
    // Nobody decided anything about the turn.
    expect((await server.get(`/turns/${turnId}`)).body.state).toBe('running');
    await server.post(`/turns/${turnId}/cancel?wait=true`);
  });
});

describe('a request that gets no answer', () => {
  it.each([
    ['refused', { refuses: true }],
    ['lost after it arrived', { losesAnswer: true }],
    ['answered by a gateway', { answers: gateway(502) }],
  ])('%s: the same once more, and one turn', async (_what, fate) => {
    proxy.plan(fate, fate);
    const answer = await mochi().chat.send(sessionId, { message: 'Hello' });
    expect(answer.message.content).toBe('Fine.');
    proxy.plan(fate);
    expect(await textOf(mochi().chat.stream(sessionId, { message: 'pace 5' }).text())).toBe(spoken(5));
    expect(await server.messages(sessionId)).toHaveLength(4);
    const { turns } = (await server.get(`/sessions/${sessionId}/turns`)).body;
    expect(turns).toHaveLength(2);
  });

  it('is given up after five tries, and says where nobody is', async () => {
    proxy.always(() => ({ refuses: true }));
    const before = proxy.requests.length;
    const error = await failureOf(mochi({ retry: { tries: 3 } }).chat.send(sessionId, { message: 'Hello' }));
    expect(error).toMatchObject({ code: 'unreachable', message: expect.stringContaining(proxy.url) });
    expect(proxy.requests.length - before).toBe(3);
  });

  it('is not repeated where that would do it twice', async () => {
    proxy.plan({ losesAnswer: true });
    expect(await failureOf(mochi().sessions.fork(sessionId))).toMatchObject({ code: 'unreachable' });
    proxy.plan({ losesAnswer: true });
    expect((await mochi().sessions.status(sessionId)).session_id).toBe(sessionId);
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
