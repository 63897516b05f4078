// Structured output: the answer is read and held against what was asked, and its text is never lost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { watchAll } from '../turns/watching.ts';

const city = {
  type: 'object',
  properties: { city: { type: 'string' }, population: { type: 'integer', minimum: 0 } },
  required: ['city'],
  additionalProperties: false,
};

describe('structured output', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  async function ask(format: unknown, answer: string) {
    const sessionId = await server.createSession();
    server.ollama.reply(text(answer));
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Capital?', format });
    return { sessionId, status, body };
  }

  it.each([
    ['an object', city, '{"city":"Paris","population":2000000}', { city: 'Paris', population: 2_000_000 }],
    ['any JSON', 'json', '[1, {"a": null}]', [1, { a: null }]],
    ['null', 'json', 'null', null],
    ['a text', { type: 'string' }, '"Paris"', 'Paris'],
    ['white space around', 'json', '\n  {"a":1}\n', { a: 1 }],
    ['a fence', city, '```json\n{"city":"Paris"}\n```', { city: 'Paris' }],
    ['a fence without a language', city, '```\n{"city":"Paris"}\n```\n', { city: 'Paris' }],
    ['a fence in capitals', 'json', '```JSON\n{\n "a": 1\n}\n```', { a: 1 }],
    ['fences inside a value', 'json', '{"a":"```json\\n1\\n```"}', { a: '```json\n1\n```' }],
    [
      'what follows thoughts',
      city,
      '<think>Rome? {"city":"Rome"}</think>{"city":"Paris"}',
      { city: 'Paris' },
    ],
    ['what follows prose', city, 'Sure, here it is: {"city":"Paris"}', { city: 'Paris' }],
    ['a fence on one line', city, '```json {"city":"Paris"}```', { city: 'Paris' }],
    ['an empty schema', {}, '7', 7],
  ])('reads %s', async (_name, format, answer, parsed) => {
    const { status, body, sessionId } = await ask(format, answer);
    expect(status).toBe(200);
    expect(body.message.parsed).toEqual(parsed);
    // The text stays as the model wrote it.
    expect(body.message.content).toBe(answer);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({ content: answer, status: 'complete' });
    const replayed = await watchAll(server, body.turn_id);
    await server.restart();
    const told = await watchAll(server, body.turn_id);
    for (const events of [replayed, told]) {
      expect(events.find(({ event }) => event === 'message_complete')?.data.message).toEqual(body.message);
    }
  });

  it('has no value where none was asked for', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(text('{"a":1}'));
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    expect(body.message).not.toHaveProperty('parsed');
  });

  it('streams the value with the whole message', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(text('{"city"', ':"Paris"}'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Capital?', format: city });
    const complete = (await stream.all()).find(({ event }) => event === 'message_complete');
    expect(complete?.data.message.parsed).toEqual({ city: 'Paris' });
  });

  it.each([
    ['no JSON', 'json', 'It is Paris.', /not JSON/],
    ['half an object', city, '{"city":"Par', /not JSON/],
    ['no JSON in the text', 'json', 'The city is [Paris] {I think}.', /not JSON/],
    ['nothing', city, '', /not JSON/],
    ['a missing property', city, '{}', /city/],
    ['a wrong type', city, '{"city":7}', /string/],
    ['a property too many', city, '{"city":"Paris","mayor":"?"}', /additional/i],
    ['a pattern that does not match', { type: 'string', pattern: '^[A-Z]+$' }, '"paris"', /pattern/],
    ['a pattern made to take for ever', { pattern: '^(a|a)*$' }, `"${'a'.repeat(60)}!"`, /pattern/],
    ['a fence that never ends', 'json', `\`\`\`${'\n'.repeat(3000)}{`, /not JSON/],
  ])('tells a misfit, and keeps the text: %s', async (_name, format, answer, says) => {
    const { status, body, sessionId } = await ask(format, answer);
    expect([status, body.detail.error.code]).toEqual([502, 'invalid_structured_output']);
    expect(body.detail.error.message).toMatch(says);
    const stored = (await server.messages(sessionId)).at(-1);
    expect(stored).toMatchObject({ role: 'assistant', content: answer });
    expect(body.detail.error.details.message_id).toBe(stored.message_id);
    const turn = (await server.get(`/turns/${body.detail.error.details.turn_id}`)).body;
    expect(turn).toMatchObject({ state: 'failed', message_id: stored.message_id });
    await server.chat(sessionId, { message: 'Never mind.' });
  });

  it('streams a misfit as an error after the text', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(text('It is', ' Paris.'));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Capital?', format: city });
    const events = await stream.all();
    expect(events.slice(-2).map(({ data }) => data.code ?? data.state)).toEqual([
      'invalid_structured_output',
      'failed',
    ]);
    expect(events.map(({ event }) => event)).not.toContain('message_complete');
  });

  it.each([
    ['another word', 'xml'],
    ['a list', [1]],
    ['a number', 7],
    ['an unknown type', { type: 'strng' }],
    ['a wrong keyword', { type: 'object', required: 'city' }],
    ['a reference to nowhere', { $ref: '#/$defs/none' }],
    ['a reference to another host', { $ref: 'http://127.0.0.1:1/schema.json' }],
    ['a pattern that is none', { type: 'string', pattern: '(' }],
    ['a pattern that refers back to itself', { type: 'string', pattern: '^(a+)\\1$' }],
    ['one hidden among properties', { patternProperties: { '[b-a]': true } }],
    ['too large a schema', { enum: Array.from({ length: 20_000 }, (_, index) => `value ${index}`) }],
  ])('refuses what is no schema before anything is stored: %s', async (_name, format) => {
    const sessionId = await server.createSession();
    const before = server.ollama.requestsTo('/api/chat').length;
    for (const route of [`/chat/${sessionId}`, `/chat/${sessionId}/stream`]) {
      const { status, body } = await server.post(route, { message: 'Capital?', format });
      expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
      expect(body.detail.error.details.errors[0].path).toBe('/format');
    }
    expect(server.ollama.requestsTo('/api/chat')).toHaveLength(before);
    expect(await server.messages(sessionId)).toEqual([]);
  });

  it.each([
    ['a schema that says which draft it is', { $schema: 'http://json-schema.org/draft-07/schema#', ...city }],
    ['the newest draft', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...city }],
    ['definitions', { $ref: '#/$defs/city', $defs: { city } }],
    ['keywords of others', { ...city, 'x-order': 1, title: 'City', examples: [] }],
    ['a name', { $id: 'https://example.com/city.json', ...city }],
    ['a recursive one', { type: 'object', properties: { city: {}, next: { $ref: '#' } } }],
  ])('takes what libraries make: %s', async (_name, format) => {
    const { status, body } = await ask(format, '{"city":"Paris"}');
    expect([status, body.message?.parsed]).toEqual([200, { city: 'Paris' }]);
  });

  it.each([
    ['that refers to itself alone', { $ref: '#' }],
    ['that refers to itself among others', { type: 'object', allOf: [{ $ref: '#' }] }],
    ['that claims to be asynchronous', { $async: true, ...city }],
  ])('survives a schema %s', async (_name, format) => {
    const { status } = await ask(format, '{}');
    expect([422, 502]).toContain(status);
    expect((await server.get('/health')).status).toBe(200);
  });
});
