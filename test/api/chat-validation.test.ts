// What a chat request may not say: refused on both routes before anything is stored or sent.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { windowsLearned } from '../support/windows-learned.ts';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const ROUTES = ['/chat/SESSION', '/chat/SESSION/stream'];

/** A body, and where the problem lies. */
const INVALID: readonly [name: string, body: unknown, path: string][] = [
  ['message: empty', { message: '' }, '/message'],
  ['message: blank', { message: ' \t\n\u00a0\u3000' }, '/message'],
  ['message: a number', { message: 7 }, '/message'],
  ['message: an object', { message: { text: 'Hello' } }, '/message'],
  ['message: a list of parts', { message: [{ type: 'text', text: 'Hello' }] }, '/message'],
  ['mode: unknown', { mode: 'auto' }, '/mode'],
  ['mode: null', { mode: null }, '/mode'],
  ['think: unknown level', { think: 'max' }, '/think'],
  ['think: a number', { think: 1 }, '/think'],
  ['think: a text', { think: 'true' }, '/think'],
  ['tool_settings: a number', { tool_settings: 5 }, '/tool_settings'],
  ['tool_settings: unknown policy', { tool_settings: { execution_policy: 'auto' } }, '/tool_settings'],
  ['options: a list', { options: [] }, '/options'],
  ['options: a text', { options: 'temperature=1' }, '/options'],
  ['options.temperature: a text', { options: { temperature: '0.5' } }, '/options'],
  ['options.temperature: negative', { options: { temperature: -1 } }, '/options'],
  ['options.top_p: over 1', { options: { top_p: 1.5 } }, '/options'],
  ['options.seed: a fraction', { options: { seed: 1.5 } }, '/options'],
  ['options.seed: too large', { options: { seed: 2 ** 40 } }, '/options'],
  ['options.num_ctx: 0', { options: { num_ctx: 0 } }, '/options'],
  ['options.num_ctx: negative', { options: { num_ctx: -8192 } }, '/options'],
  ['options.num_ctx: a text', { options: { num_ctx: '8192' } }, '/options'],
  ['options.num_predict: below -2', { options: { num_predict: -3 } }, '/options'],
  ['options.stop: a number', { options: { stop: 7 } }, '/options'],
  ['options.stop: a list of numbers', { options: { stop: [7] } }, '/options'],
  ['options.stop: empty', { options: { stop: '' } }, '/options'],
  ['options.use_mmap: a text', { options: { use_mmap: 'yes' } }, '/options'],
  ['options.anything: an object', { options: { anything: {} } }, '/options'],
  ['options.anything: null', { options: { anything: null } }, '/options'],
  ['format: a word', { format: 'yaml' }, '/format'],
  ['format: a boolean', { format: true }, '/format'],
  ['images: a text', { images: PIXEL }, '/images'],
  ['images: a data URI of something else', { images: [`data:text/html;base64,${PIXEL}`] }, '/images/0'],
  ['images: a data URI that is no base64', { images: ['data:image/svg+xml,%3Csvg/%3E'] }, '/images/0'],
  ['images: an address', { images: ['https://example.com/a.png'] }, '/images/0'],
  ['images: not base64', { images: ['not an image!'] }, '/images/0'],
  ['images: the length of no base64', { images: ['abcde'] }, '/images/0'],
  ['images: empty', { images: [''] }, '/images/0'],
  ['images: a number', { images: [7] }, '/images/0'],
  ['images: too many', { images: Array.from({ length: 17 }, () => PIXEL) }, '/images'],
  ['the body: a list', [], '/body'],
  ['the body: null', 'null', '/body'],
  ['the body: a text', '"Hello"', '/body'],
  ['the body: no JSON', '{"message":', '/body'],
  ['half a surrogate pair', String.raw`{"message":"\ud800"}`, '/body'],
];

describe.each(ROUTES)('%s', (route) => {
  let server: TestServer;
  let sessionId: string;
  beforeAll(async () => {
    server = await startTestServer();
    sessionId = await server.createSession({ model: 'llava:7b' });
    await server.chat(sessionId, { message: 'Hello' });
    await windowsLearned(server.ollama);
  });
  afterAll(() => server.close());

  const post = (id: string, body: unknown) => server.post(route.replace('SESSION', id), body);

  it.each(INVALID)('422 for %s', async (_name, body, path) => {
    const requests = server.ollama.requests.length;
    const { length: stored } = await server.messages(sessionId);
    const { status, body: answer } = await post(sessionId, withMessage(body));
    expect([status, answer.detail?.error.code]).toEqual([422, 'validation_error']);
    const { errors } = answer.detail.error.details;
    expect(errors.map((problem: any) => problem.path).join(' ')).toContain(path);
    for (const problem of errors) expect(problem.message).toEqual(expect.any(String));
    expect(server.ollama.requests).toHaveLength(requests);
    expect(await server.messages(sessionId)).toHaveLength(stored);
  });

  it('422 without a body', async () => {
    const answer = await server.request('POST', route.replace('SESSION', sessionId), undefined, {
      'content-type': 'application/json',
    });
    expect([answer.status, answer.body.detail.error.code]).toEqual([422, 'validation_error']);
  });

  it('takes every field at its limits, and what it does not know', async () => {
    const id = await server.createSession({ model: 'llava:7b' });
    const body = {
      message: 'Hello',
      mode: 'continue',
      think: null,
      options: { temperature: 0, top_p: 1, seed: -1, num_predict: -1, stop: ['x'], unheard_of: true },
      format: null,
      images: [PIXEL],
      unknown_field: { anything: 1 },
    };
    expect((await post(id, body)).status).toBe(200);
    expect((await server.messages(id)).map(({ role }) => role)).toEqual(['user', 'assistant']);
  });

  it('images are sent to the engine in bare base64, however they came', async () => {
    const id = await server.createSession({ model: 'llava:7b' });
    const wrapped = PIXEL.replaceAll(/.{10}/g, '$&\r\n');
    const images = [`data:image/png;base64,${PIXEL}`, `${wrapped}\n`, ` data:image/jpeg;base64,${wrapped}`];
    expect((await post(id, { message: 'Which?', images })).status).toBe(200);
    const sent = server.ollama.requests.findLast(({ path }) => path === '/api/chat');
    expect(sent?.body).toMatchObject({ messages: [{ images: [PIXEL, PIXEL, PIXEL] }] });
    expect((await server.messages(id))[0]).toMatchObject({ images: [PIXEL, PIXEL, PIXEL] });
  });

  it('400 for images that the model cannot see, with nothing stored', async () => {
    const id = await server.createSession({ model: 'llama3.2' });
    const requests = server.ollama.requestsTo('/api/chat').length;
    const { status, body } = await post(id, { message: 'What is this?', images: [PIXEL] });
    expect([status, body.detail.error.code]).toEqual([400, 'images_not_supported']);
    expect(body.detail.error.details.model).toBe('llama3.2:latest');
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(requests);
    expect(await server.messages(id)).toEqual([]);
  });
});

/** A valid message where the case is about another field. */
function withMessage(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || 'message' in body) return body;
  return { message: 'Hello', ...body };
}
