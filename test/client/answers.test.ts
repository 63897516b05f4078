// What the client makes of each answer of §2.4's kinds: canned ones, as servers, gateways and portals send them.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMochi, isMochiError, type MochiOptions } from '../../src/client/index.ts';

interface Canned {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

let server: Server;
let baseUrl: string;
let answers: Canned[] = [];
let asked: IncomingMessage[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    const { status, body, headers } = answers.shift() ?? FINE;
    const isJson = typeof body === 'object';
    response.writeHead(status, { 'content-type': isJson ? 'application/json' : 'text/html', ...headers });
    response.end(isJson ? JSON.stringify(body) : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  answers = [];
  asked = [];
});

const FINE: Canned = { status: 200, body: { status: 'ok' } };
const failed = (
  status: number,
  code: string,
  more: { details?: object; headers?: Record<string, string> } = {},
): Canned => ({
  status,
  body: { detail: { error: { code, message: `It is ${code}.`, details: more.details ?? {} } } },
  headers: { 'x-request-id': 'req-1', ...more.headers },
});
const mochi = (options: MochiOptions = {}) =>
  createMochi({ baseUrl, ...options, retry: { firstDelayMs: 1, ...options.retry } });
const failureOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => {
      if (!isMochiError(error)) throw error;
      return error;
    },
  );

describe('an error of the server', () => {
  it('is thrown with all that it says', async () => {
    answers = [failed(409, 'session_busy', { details: { turn_id: 'turn_1' } })];
    expect(await failureOf(mochi().chat.send('a', { message: 'Hi', on_busy: 'reject' }))).toMatchObject({
      code: 'session_busy',
      status: 409,
      message: 'It is session_busy.',
      details: { turn_id: 'turn_1' },
      turnId: 'turn_1',
      requestId: 'req-1',
      retryAfterMs: null,
    });
    expect(asked).toHaveLength(1);
  });

  it.each([
    [403, 'host_not_allowed'],
    [404, 'turn_not_found'],
    [409, 'turn_cancelled'],
    [422, 'validation_error'],
    [503, 'turn_interrupted'],
    [502, 'ollama_unreachable'],
  ])('%i %s of a chat is not asked for again', async (status, code) => {
    answers = [failed(status, code)];
    expect(await failureOf(mochi().chat.send('a', { message: 'Hi' }))).toMatchObject({ code, status });
    answers = [failed(status, code)];
    expect(await failureOf(mochi().chat.stream('a', { message: 'Hi' }).answer())).toMatchObject({
      code,
      status,
    });
    expect(asked).toHaveLength(2);
  });

  it.each([500, 502, 503, 504])('%i of a GET is asked twice more, of another POST never', async (status) => {
    answers = [failed(status, 'x'), failed(status, 'x'), FINE];
    expect(await mochi().health()).toEqual({ status: 'ok' });
    answers = [failed(status, 'x'), failed(status, 'x'), failed(status, 'y'), FINE];
    expect(await failureOf(mochi().health())).toMatchObject({ code: 'y' });
    answers = [failed(status, 'x'), FINE];
    expect(await failureOf(mochi().sessions.create())).toMatchObject({ code: 'x' });
  });
});

describe('a server that asks to wait', () => {
  it.each([429, 503])('with %i is asked again after that time, five times at most', async (status) => {
    const busy = failed(status, 'overloaded', { headers: { 'retry-after': '0' } });
    answers = [busy, busy, busy, busy, busy, FINE];
    expect(await mochi().sessions.create()).toEqual({ status: 'ok' });
    answers = [busy, busy, busy, busy, busy, busy, FINE];
    expect(await failureOf(mochi().sessions.create())).toMatchObject({ status, retryAfterMs: 0 });
  });

  it('may name a date', async () => {
    const headers = { 'retry-after': new Date(Date.now() - 5000).toUTCString() };
    answers = [failed(503, 'overloaded', { headers }), FINE];
    expect(await mochi().health()).toEqual({ status: 'ok' });
  });

  it('is not waited for where the turn itself has failed', async () => {
    answers = [failed(503, 'engine_busy', { headers: { 'retry-after': '60', 'x-turn-id': 'turn_2' } })];
    expect(await failureOf(mochi().chat.send('a', { message: 'Hi' }))).toMatchObject({
      code: 'engine_busy',
      turnId: 'turn_2',
      retryAfterMs: 60_000,
    });
  });

  it('while it fetches an engine, for as long as that takes', async () => {
    const underway = failed(503, 'engine_not_ready', {
      details: { is_underway: true, progress: { status: 'downloading', completed: 1, total: 2 } },
      headers: { 'retry-after': '0' },
    });
    const told: unknown[] = [];
    answers = [...Array.from({ length: 8 }, () => underway), FINE];
    const waiting = mochi({ waitForEngine: (error) => told.push(error.details['progress']) });
    expect(await waiting.sessions.create()).toEqual({ status: 'ok' });
    expect(told).toHaveLength(8);
    expect(told[0]).toEqual({ status: 'downloading', completed: 1, total: 2 });
  });

  it('is left by a signal', async () => {
    const stop = new AbortController();
    answers = [failed(503, 'overloaded', { headers: { 'retry-after': '60' } })];
    const waiting = mochi().sessions.create({}, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('a server with keys', () => {
  it('is sent the key, asked for anew at each request', async () => {
    const keys = ['one', 'two'];
    const client = mochi({ apiKey: async () => keys.shift(), headers: { 'x-app': 'test' } });
    await client.health();
    await client.health();
    await client.health();
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer two',
      undefined,
    ]);
    expect(asked[0]?.headers['x-app']).toBe('test');
  });

  it('is asked once more after onUnauthorized, and no third time', async () => {
    let key = 'old';
    let calls = 0;
    const refused: unknown[] = [];
    const onUnauthorized = ({ apiKey }: { readonly apiKey: string | undefined }) => {
      refused.push(apiKey);
      calls += 1;
      key = 'new';
      return true;
    };
    const client = mochi({ apiKey: () => key, onUnauthorized });
    answers = [failed(401, 'unauthorized'), FINE];
    await client.chat.send('a', { message: 'Hi' });
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect(asked[0]?.headers['idempotency-key']).toBe(asked[1]?.headers['idempotency-key']);
    answers = [failed(401, 'unauthorized'), failed(401, 'unauthorized'), FINE];
    expect(await failureOf(client.health())).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(calls).toBe(2);
    expect(refused).toEqual(['old', 'new']);
  });

  it('is not asked again when nobody has another key', async () => {
    answers = [failed(401, 'unauthorized')];
    expect(await failureOf(mochi({ onUnauthorized: () => false }).health())).toMatchObject({ status: 401 });
    answers = [failed(401, 'unauthorized')];
    expect(await failureOf(mochi().health())).toMatchObject({ status: 401 });
    expect(asked).toHaveLength(2);
  });
});

describe('what is no mochi-server', () => {
  const portal: Canned = { status: 200, body: `<h1>Welcome to the hotel</h1>${'x'.repeat(500)}` };

  it.each([
    ['JSON', () => mochi().health()],
    ['a stream', () => mochi().chat.stream('a', { message: 'Hi' }).answer()],
    ['a turn', () => mochi().turns.watch('turn_1').answer()],
  ])('in the place of %s is told with its first words', async (_what, ask) => {
    answers = [portal];
    const error = await failureOf(ask());
    expect(error).toMatchObject({ code: 'not_mochi', status: 200 });
    expect(error?.details['text']).toMatch(/^<h1>Welcome to the hotel/);
    expect(String(error?.details['text'])).toHaveLength(200);
  });

  it('with an error of its own, too', async () => {
    answers = [{ status: 404, body: { detail: 'Not Found' } }];
    expect(await failureOf(mochi().health())).toMatchObject({ code: 'not_mochi', status: 404 });
  });
});

describe('a page', () => {
  it('is told both causes of an answer that it may not read', async () => {
    const page = globalThis as { location?: unknown };
    page.location = { origin: 'http://127.0.0.1:9' };
    try {
      const client = createMochi({ retry: { tries: 1 } });
      expect(client.baseUrl).toBe('http://127.0.0.1:9');
      const error = await failureOf(client.health());
      expect(error).toMatchObject({ code: 'unreachable', status: null });
      // Its own server sends no page that it does not answer.
      expect(error?.message).not.toContain('MOCHI_CORS_ORIGINS');
      const other = await failureOf(
        createMochi({ baseUrl: 'http://127.0.0.1:7', retry: { tries: 1 } }).health(),
      );
      expect(other?.message).toMatch(/cannot be reached, or .*MOCHI_CORS_ORIGINS/);
    } finally {
      delete page.location;
    }
    expect(createMochi().baseUrl).toBe('http://127.0.0.1:8000');
  });
});

describe('an address', () => {
  it('may have a path, and slashes at its end', async () => {
    const client = createMochi({ baseUrl: `${baseUrl}/behind/a/proxy//` });
    await client.models.get('hf.co/own er/repo:Q4');
    await client.sessions.list({ q: 'a b&c', limit: 3 });
    expect(asked.map(({ url }) => url)).toEqual([
      '/behind/a/proxy/api/v1/models/hf.co/own%20er/repo%3AQ4',
      '/behind/a/proxy/api/v1/sessions?q=a%20b%26c&limit=3',
    ]);
  });
});
