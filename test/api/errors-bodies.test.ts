// Bodies that are none: every route that takes one refuses them the same way, and stores nothing.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const MAX_BODY_BYTES = 4000;
let server: TestServer;
let sessionId: string;
beforeAll(async () => {
  server = await startTestServer({ config: { maxBodyBytes: MAX_BODY_BYTES } });
  sessionId = await server.createSession({ system_prompt: 'S' });
  await server.chat(sessionId, { message: 'Hi' });
});
afterAll(() => server.close());

/** Routes with a body, and one that each of them would take. */
const routes: [string, string, Record<string, unknown>][] = [
  ['POST', '/sessions', { model: 'llama3.2' }],
  ['PATCH', '/sessions/ID', { title: 'T' }],
  ['PUT', '/sessions/ID/messages/1', { content: 'C' }],
  ['PUT', '/sessions/ID/system-prompt', { content: 'C' }],
  ['PUT', '/sessions/ID/head', { message_id: 'M' }],
  ['POST', '/sessions/ID/fork', { message_id: null }],
  ['POST', '/chat/ID', { message: 'M' }],
  ['POST', '/chat/ID/stream', { message: 'M' }],
];

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream;

async function send(
  method: string,
  path: string,
  body: Body,
  { contentType = 'application/json', ...headers }: Record<string, string> = {},
) {
  const url = `${server.url}/api/v1${path.replace('ID', sessionId)}`;
  const request = {
    method,
    body,
    headers: { 'content-type': contentType, ...headers },
    duplex: 'half',
  } as const;
  const response = await fetch(url, request);
  // Tests read what they expect; a wrong guess fails the test.
  const parsed: any = await response.json();
  return { status: response.status, headers: response.headers, body: parsed };
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const nested = (depth: number, [open, close]: [string, string]) =>
  `{"a":${open.repeat(depth)}1${close.repeat(depth)}}`;

const unreadable: [string, string | Uint8Array<ArrayBuffer>][] = [
  ['cut JSON', '{"message":"Hi"'],
  ['two values', '{} {}'],
  ['a trailing comma', '{"message":"Hi",}'],
  ['single quotes', "{'message':'Hi'}"],
  ['a form', 'message=Hi'],
  ['NaN', '{"message":NaN}'],
  ['blanks', '  \n '],
  ['a raw line end in a string', '{"message":"a\nb"}'],
  ['bytes that are no UTF-8', bytes(0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d)],
  ['a cut UTF-8 character', bytes(0x22, 0xe2, 0x82, 0x22)],
  ['UTF-16', new Uint8Array(Buffer.from('{"message":"Hi"}', 'utf16le'))],
  ['an encoded surrogate', bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
  ['half a surrogate pair', '{"message":"\\ud83d"}'],
  ['the other half', '{"message":"\\ude00 alone"}'],
  ['half a pair in a key', '{"\\ud83d":1}'],
  ['arrays without end', nested(1500, ['[', ']'])],
  ['objects without end', nested(600, ['{"a":', '}'])],
  ['a key that would change the prototype', '{"__proto__":{"message":"Hi"}}'],
  ['null', 'null'],
  ['a string', '"text"'],
  ['a number', '7'],
  ['a list', '[{"message":"Hi"}]'],
];

describe.each(routes)('%s %s', (method, path, good) => {
  it.each(unreadable)('answers 422 for %s', async (what, body) => {
    // A fork asks for nothing, so that null asks for nothing, too.
    if (path.endsWith('/fork') && what === 'null') return;
    const answer = await send(method, path, body);
    expect(expectError(answer, 422, 'validation_error')).toEqual({
      errors: [{ path: expect.stringMatching(/^\//), message: expect.stringMatching(/\S/) }],
    });
  });

  it('answers 422 for no body at all, unless it needs none', async () => {
    const answer = await server.request(method, path.replace('ID', sessionId));
    if (/\/(fork|sessions)$/.test(path)) expect(answer.status).toBe(201);
    else expectError(answer, 422, 'validation_error');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'application/json-patch+json',
    'json',
    'text/json',
  ])('answers 415 for %s', async (contentType) => {
    const answer = await send(method, path, JSON.stringify(good), { contentType });
    expect(expectError(answer, 415, 'unsupported_media_type')).toEqual({});
  });

  it.each(['gzip', 'deflate', 'br', 'zstd', 'identity, gzip', 'x-unknown'])(
    'answers 415 for a body that is encoded: %s',
    async (encoding) => {
      const headers = { 'content-encoding': encoding };
      const packed = new Uint8Array(gzipSync(JSON.stringify(good)));
      const answer = await send(method, path, packed, headers);
      expectError(answer, 415, 'unsupported_media_type');
      expect(answer.body.detail.error.message).toContain('content-encoding');
      expect(answer.headers.get('accept-encoding')).toBe('identity');
    },
  );

  it('answers 413 for a body over the limit, however it is sent', async () => {
    const large = JSON.stringify({ ...good, filler: 'x'.repeat(MAX_BODY_BYTES) });
    expectError(await send(method, path, large), 413, 'payload_too_large');
    // Chunked: nothing tells the length before the end.
    expectError(await send(method, path, new Blob([large]).stream()), 413, 'payload_too_large');
  });
});

describe('a body that is one', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/json;charset="UTF-8"',
  ])('may come as %s', async (contentType) => {
    const { status } = await send('PATCH', '/sessions/ID', '{}', { contentType });
    expect(status).toBe(200);
  });

  it('may say that it is not encoded', async () => {
    const headers = { 'content-encoding': 'Identity' };
    const { status } = await server.request('PATCH', `/sessions/${sessionId}`, '{}', headers);
    expect(status).toBe(200);
  });

  it('may begin with a byte order mark, and have members that nobody knows', async () => {
    const { status, body } = await send('PATCH', '/sessions/ID', '\uFEFF{"title":"😀","later":{"x":[1]}}');
    expect([status, body.title]).toEqual([200, '😀']);
  });

  it('may fill the limit to the last byte', async () => {
    const empty = JSON.stringify({ metadata: { a: '' } }).length;
    const body = JSON.stringify({ metadata: { a: 'x'.repeat(MAX_BODY_BYTES - empty) } });
    expect(body.length).toBe(MAX_BODY_BYTES);
    expect((await send('PATCH', '/sessions/ID', body)).status).toBe(200);
  });

  it('may be nested as deeply as people nest', async () => {
    const metadata = JSON.parse(nested(50, ['[', ']']));
    const { status, body } = await send('PATCH', '/sessions/ID', JSON.stringify({ metadata }));
    expect([status, body.metadata]).toEqual([200, metadata]);
  });
});

describe('DELETE', () => {
  it.each(['/sessions/ID', '/sessions/ID/system-prompt'])('%s with a body of any type', async (path) => {
    const target = path.replace('ID', await server.createSession({ system_prompt: 'S' }));
    const answer = await server.request('DELETE', target, 'text', { 'content-type': 'text/plain' });
    // It takes none; whether it ignores or refuses one, the answer is a described one.
    expect([204, 415]).toContain(answer.status);
  });
});

it('nothing of all this was stored or sent', async () => {
  expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual([
    'S',
    'Hi',
    'The capital of France is Paris.',
  ]);
  expect(server.ollama.requestsTo('/api/chat')).toHaveLength(1);
});
