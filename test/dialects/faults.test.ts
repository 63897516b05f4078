// An engine that fails, and clients that leave, half-close or ask again, in every dialect: statuses are true as long as
// no byte is out, afterwards the dialect's own words say it, and the session goes on as if nothing had been.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatScript, httpAnswer, httpError, text } from '../fake-ollama/chat-script.ts';
import { exceedContextError, htmlAnswer } from '../fake-ollama/http-answer.ts';
import { cutAfter, destroyAfter, errorAfter, gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { judgeOf } from '../fuzz/dialect-shapes.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

interface Spoken {
  readonly path: string;
  body(asked: { readonly text: string; readonly isStream: boolean; readonly name: string }): object;
  /** What tells in a running stream that the answer has failed: the last that comes. */
  readonly failure: RegExp;
  /** Never in an answer that failed. */
  readonly success: RegExp;
  /** Every answer is a stream, which begins at once. */
  readonly isAlwaysLive?: boolean;
}

const said = (content: string) => ({ model: 'llama3.2', messages: [{ role: 'user', content }] });
const DIALECTS: Readonly<Record<string, Spoken>> = {
  'Chat Completions': {
    path: '/v1/chat/completions',
    body: ({ text: content, isStream }) => ({ ...said(content), stream: isStream }),
    failure: /data: \{"error":\{"message":"[^\n]+\}\}\n\ndata: \[DONE\]\n\n$/,
    success: /"finish_reason":"/,
  },
  Responses: {
    path: '/v1/responses',
    body: ({ text: input, isStream }) => ({ model: 'llama3.2', input, stream: isStream }),
    failure: /event: response\.failed\ndata: \{"type":"response\.failed"[^\n]+\n\ndata: \[DONE\]\n\n$/,
    success: /response\.completed/,
  },
  Ollama: {
    path: '/api/chat',
    body: ({ text: content, isStream }) => ({ ...said(content), stream: isStream }),
    failure: /\n\{"error":"[^\n]+"\}\n$/,
    success: /"done":true/,
  },
  Messages: {
    path: '/v1/messages',
    body: ({ text: content, isStream }) => ({ ...said(content), max_tokens: 100, stream: isStream }),
    failure: /event: error\ndata: \{"type":"error","error":\{"type":"api_error"[^\n]+\n\n$/,
    success: /message_stop/,
  },
  'AI SDK': {
    path: '/ai/chat',
    body: ({ text: content, name }) => ({
      id: name,
      messages: [{ id: `m-${content}`, role: 'user', parts: [{ type: 'text', text: content }] }],
    }),
    failure: /data: \{"type":"error","errorText":"[^\n]+"\}\n\ndata: \[DONE\]\n\n$/,
    success: /"type":"finish"/,
    isAlwaysLive: true,
  },
};
const all = Object.entries(DIALECTS);
const whole = all.filter(([, { isAlwaysLive }]) => !isAlwaysLive);

const answer = text('Partial', ' answer', ' here');
/** Before the first word: the status that is told, and 529 where Anthropic's clients look for that. */
const BEFORE: readonly (readonly [string, ChatScript, number])[] = [
  ['a bad request', httpError(400, 'invalid model name'), 502],
  ['an unknown model', httpError(404, "model 'foo' not found"), 404],
  ['no memory', httpError(500, 'model requires more system memory'), 502],
  ['a full queue', httpError(503, 'server busy, please try again'), 503],
  ['an over-long prompt', httpError(400, exceedContextError(9000, 8192)), 400],
  ['a page of a proxy', httpAnswer(htmlAnswer()), 502],
  ['a dropped socket', script(answer, destroyAfter(0)), 502],
  ['an end before the first word', script(answer, cutAfter(0)), 502],
];
const AMID: readonly (readonly [string, ChatScript])[] = [
  ['an error line', script(answer, errorAfter(2, 'unexpected EOF'))],
  ['an end without done', script(answer, cutAfter(2))],
  ['a dropped socket', script(answer, destroyAfter(2))],
];

describe.each(all)('%s', (dialect, spoken) => {
  let server: TestServer;
  let names = 0;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const newName = () => {
    names += 1;
    return `chat-${names}`;
  };

  interface Asking {
    readonly name: string;
    readonly isStream?: boolean;
    readonly text?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  }

  const ask = ({ name, isStream = true, text: content = 'Question?', headers = {}, signal }: Asking) =>
    fetch(`${server.url}${spoken.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-mochi-session': name, ...headers },
      body: JSON.stringify(spoken.body({ text: content, isStream, name })),
      ...(signal !== undefined && { signal }),
    });

  /** The error in its shape. */
  async function expectTold(response: Response, status: number): Promise<string> {
    const body = Buffer.from(await response.arrayBuffer());
    const told = dialect === 'Messages' && status === 503 ? 529 : status;
    expect([response.status, body.toString()]).toEqual([told, expect.any(String)]);
    const judge = judgeOf(spoken.path);
    judge?.({ status: response.status, headers: new Map(response.headers), body }, body.toString());
    return body.toString();
  }

  /** Nothing runs, and the next question is answered. */
  async function expectUsable(name: string): Promise<void> {
    const next = await ask({ name, text: 'Again?' });
    expect([next.status, await next.text()]).toEqual([200, expect.stringMatching(spoken.success)]);
  }

  const forms = spoken.isAlwaysLive ? [true] : [true, false];
  const befores = BEFORE.flatMap(([fault, played, status]) =>
    forms.map((isStream) => [fault, isStream ? 'stream' : 'plain', played, status] as const),
  );
  it.each(befores)('before the first word: %s (%s)', async (_fault, form, played, status) => {
    const name = newName();
    server.ollama.reply(played);
    const response = await ask({ name, isStream: form === 'stream' });
    if (spoken.isAlwaysLive) {
      expect([response.status, await response.text()]).toEqual([200, expect.stringMatching(spoken.failure)]);
    } else {
      await expectTold(response, status);
      // It is stored: a repetition by itself would say it twice.
      expect(response.headers.get('x-should-retry')).toBe('false');
    }
    await expectUsable(name);
  });

  it.each(AMID)('in a running stream: %s', async (_fault, played) => {
    const name = newName();
    server.ollama.reply(played);
    const response = await ask({ name });
    const told = await response.text();
    expect(response.status).toBe(200);
    expect(told).toMatch(/Partial/);
    expect(told).toMatch(spoken.failure);
    expect(told).not.toMatch(spoken.success);
    expect(told).toMatch(/what came until then is kept|unexpected EOF/);
    await expectUsable(name);
  });

  it('a reader who leaves a stream stops it, unless the dialect resumes', async () => {
    const name = newName();
    const gate = Promise.withResolvers<void>();
    server.ollama.reply(script(answer, gateAfter(2, gate.promise)));
    const leaving = new AbortController();
    const response = await ask({ name, signal: leaving.signal });
    const turnId = response.headers.get('x-turn-id') ?? '';
    leaving.abort();
    const state = async () => (await server.get(`/turns/${turnId}`)).body.state;
    if (spoken.isAlwaysLive) expect(await state()).toBe('running');
    else await expect.poll(state).toBe('cancelled');
    gate.resolve();
    if (spoken.isAlwaysLive) await expect.poll(state).toBe('completed');
    await expectUsable(name);
  });

  it('who ends its side and waits gets the whole answer', async () => {
    const body = JSON.stringify(spoken.body({ text: 'Hello', isStream: false, name: newName() }));
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.end(
      `POST ${spoken.path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part);
    const received = Buffer.concat(parts).toString();
    // Interim answers may come before it, which tell that somebody is still there.
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/m);
    expect(received).toMatch(/Paris/);
  });
});

describe.each(whole)('%s', (_dialect, spoken) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const ask = (isStream: boolean, headers: Readonly<Record<string, string>>, signal?: AbortSignal) =>
    fetch(`${server.url}${spoken.path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(spoken.body({ text: 'Question?', isStream, name: '' })),
      ...(signal !== undefined && { signal }),
    });

  it('a plain answer goes on without its client, whose SDK joins it with the next attempt', async () => {
    server.ollama.requests.length = 0;
    const gate = Promise.withResolvers<void>();
    server.ollama.reply(script(answer, gateAfter(1, gate.promise)));
    const leaving = new AbortController();
    const first = ask(false, { 'x-mochi-session': 'new' }, leaving.signal);
    await expect.poll(() => server.ollama.requestsTo('/api/chat').length).toBe(1);
    leaving.abort();
    await expect(first).rejects.toThrow();
    const second = ask(false, { 'x-mochi-session': 'new', 'x-stainless-retry-count': '1' });
    gate.resolve();
    const response = await second;
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining('Partial answer'),
    ]);
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(1);
    expect(await server.messages(response.headers.get('x-mochi-session') ?? '')).toHaveLength(2);
  });

  it.each([true, false])(
    'what passes and breaks off says nothing of what is kept here (stream: %s)',
    async (isStream) => {
      server.ollama.reply(script(answer, cutAfter(2)));
      const passing = spoken.path === '/v1/responses' ? { store: false } : {};
      const body = { ...spoken.body({ text: 'Question?', isStream, name: '' }), ...passing };
      const response = await fetch(`${server.url}${spoken.path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      const told = await response.text();
      expect(response.status).toBe(isStream ? 200 : 502);
      expect(told).toContain('The answer of Ollama ended early. Send the request again.');
      expect(told).not.toMatch(/kept|message: null/);
    },
  );

  it.each([true, false])('what passes ends with its client (stream: %s)', async (isStream) => {
    const gate = Promise.withResolvers<void>();
    server.ollama.requests.length = 0;
    server.ollama.reply(script(answer, gateAfter(1, gate.promise)));
    const leaving = new AbortController();
    const passing = spoken.path === '/v1/responses' ? { store: false } : {};
    const body = { ...spoken.body({ text: 'Question?', isStream, name: '' }), ...passing };
    const asked = fetch(`${server.url}${spoken.path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: leaving.signal,
    }).catch(() => null);
    const aborted = server.ollama.waitForAbort();
    await expect.poll(() => server.ollama.requestsTo('/api/chat').length).toBe(1);
    leaving.abort();
    expect((await aborted).path).toBe('/api/chat');
    await asked;
    gate.resolve();
  });
});
