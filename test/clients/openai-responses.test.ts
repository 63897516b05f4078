// OpenAI's own client on Responses and Conversations, pointed at this server by its address and nothing else.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import OpenAI, { APIError } from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { text, thinking, toolCalls } from '../fake-ollama/chat-script.ts';
import { cutAfter, everyMs, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const MODEL = 'qwen3:14b';
const QUESTION = 'What is the capital of France?';
const READ = {
  type: 'function',
  name: 'read',
  description: 'Reads a file.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  strict: false,
} as const;

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startTestServer();
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  server.ollama.requests.length = 0;
});

/** The last prompt, each message as its role and text. */
function asked(): string[] {
  const { body } = server.ollama.requestsTo('/api/chat').at(-1) ?? {};
  const { messages } = body as { messages: { role: string; content: string }[] };
  return messages.map(({ role, content }) => `${role}: ${content}`);
}

const sessionOf = ({ conversation }: Response) => conversation?.id.replace('conv_', '') ?? '';

describe('a response', () => {
  it('is answered, kept, and gone on from', async () => {
    server.ollama.reply(text('Paris.'), text('Berlin.'), text('Rome.'));
    const first = await client.responses.create({ model: MODEL, input: QUESTION, instructions: 'Be short.' });
    expect(first).toMatchObject({ status: 'completed', output_text: 'Paris.', model: MODEL, error: null });
    expect(first.usage?.total_tokens).toBeGreaterThan(0);
    const second = await client.responses.create({
      model: MODEL,
      input: 'And of Germany?',
      previous_response_id: first.id,
    });
    expect(second.output_text).toBe('Berlin.');
    // Instructions are of one request.
    expect(asked()).toEqual([`user: ${QUESTION}`, 'assistant: Paris.', 'user: And of Germany?']);
    // Not from its end: a branch.
    await client.responses.create({ model: MODEL, input: 'And of Italy?', previous_response_id: first.id });
    expect(asked()).toEqual([`user: ${QUESTION}`, 'assistant: Paris.', 'user: And of Italy?']);
    const messages = await server.messages(sessionOf(first));
    expect(messages.map(({ content }) => content)).toEqual([QUESTION, 'Paris.', 'And of Italy?', 'Rome.']);
    expect(sessionOf(second)).toBe(sessionOf(first));
    expect(await client.responses.retrieve(second.id)).toMatchObject({
      status: 'completed',
      output_text: 'Berlin.',
      previous_response_id: first.id,
    });
  });

  it('passes with store: false, and is nowhere afterwards', async () => {
    server.ollama.reply(text('Paris.'));
    const { id, conversation } = await client.responses.create({
      model: MODEL,
      input: QUESTION,
      store: false,
    });
    expect(conversation ?? null).toBeNull();
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  it('is in no list until somebody goes on with it', async () => {
    server.ollama.reply(text('Paris.'), text('Berlin.'));
    const first = await client.responses.create({ model: MODEL, input: QUESTION });
    const listed = async () =>
      (await server.get('/sessions?limit=1000')).body.sessions.map(
        ({ session_id: id }: { session_id: string }) => id,
      );
    expect(await listed()).not.toContain(sessionOf(first));
    await client.responses.create({ model: MODEL, input: 'And?', previous_response_id: first.id });
    expect(await listed()).toContain(sessionOf(first));
  });

  it('is streamed, and read again from anywhere', async () => {
    server.ollama.reply(thinking(['The user ', 'asks.'], ['It is ', 'Paris.']));
    const stream = await client.responses.create({ model: MODEL, input: QUESTION, stream: true });
    const events: ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events[0]?.type).toBe('response.created');
    expect(events.map(({ type }) => type)).toContain('response.reasoning_text.delta');
    const last = events.at(-1);
    if (last?.type !== 'response.completed') throw new Error(`ended with ${last?.type}`);
    expect(last.response.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
    const read = await client.responses.retrieve(last.response.id);
    expect(read.output).toEqual(last.response.output);
    const from = events[4]?.sequence_number ?? 0;
    const again: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.retrieve(last.response.id, {
      stream: true,
      starting_after: from,
    })) {
      again.push(event);
    }
    // Live, the moment of the end is that of its telling.
    const timeless = (told: readonly ResponseStreamEvent[]) =>
      JSON.stringify(told).replaceAll(/"completed_at":\d+/g, '');
    expect(timeless(again)).toEqual(timeless(events.slice(5)));
  });

  it('leaves calls to the client, whose results the next one brings', async () => {
    server.ollama.reply(toolCalls([{ name: 'read', args: { path: 'a.md' } }]), text('It says hello.'));
    const first = await client.responses.create({ model: MODEL, input: 'Read a.md', tools: [READ] });
    const [call] = first.output;
    if (call?.type !== 'function_call') throw new Error(`is a ${call?.type}`);
    expect(call).toMatchObject({ name: 'read', arguments: '{"path":"a.md"}', status: 'completed' });
    await expect(
      client.responses.create({
        model: MODEL,
        previous_response_id: first.id,
        input: [{ type: 'function_call_output', call_id: 'call_of_nobody', output: 'x' }],
      }),
    ).rejects.toThrow(/No tool call found for function call output with call_id call_of_nobody/);
    const second = await client.responses.create({
      model: MODEL,
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'hello' }],
      tools: [READ],
    });
    expect(second.output_text).toBe('It says hello.');
    expect(asked()).toEqual(['user: Read a.md', 'assistant: ', 'tool: hello']);
    const { data } = await client.responses.inputItems.list(second.id);
    expect(data).toMatchObject([{ type: 'function_call_output', call_id: call.call_id, output: 'hello' }]);
    expect((await client.responses.inputItems.list(first.id)).data).toMatchObject([
      { type: 'message', role: 'user' },
    ]);
  });

  it('fits the schema that was asked for', async () => {
    server.ollama.reply(text('{"city":"Paris"}'));
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const { output_text } = await client.responses.create({
      model: MODEL,
      input: QUESTION,
      text: { format: { type: 'json_schema', name: 'city', schema } },
    });
    expect(JSON.parse(output_text)).toEqual({ city: 'Paris' });
  });

  it('goes on in the background, can be cancelled there, and keeps its part', async () => {
    server.ollama.reply(script(text('Par', 'is.'), everyMs(5)), script(text('Ber', 'lin.'), hangAfter(1)));
    const begun = await client.responses.create({ model: MODEL, input: QUESTION, background: true });
    expect(begun).toMatchObject({ background: true, object: 'response' });
    await expect
      .poll(async () => (await client.responses.retrieve(begun.id)).status, { timeout: 10_000 })
      .toBe('completed');

    const hanging = await client.responses.create({ model: MODEL, input: QUESTION, background: true });
    const events: string[] = [];
    for await (const event of await client.responses.retrieve(hanging.id, { stream: true })) {
      events.push(event.type);
      if (event.type === 'response.output_text.delta') await client.responses.cancel(hanging.id);
    }
    expect(events.at(-1)).toBe('response.incomplete');
    expect(await client.responses.retrieve(hanging.id)).toMatchObject({
      status: 'cancelled',
      output_text: 'Ber',
    });
  });

  it('fails with a true status, and stays readable', async () => {
    server.ollama.reply(script(text('Par', 'is.'), cutAfter(1)));
    const failed = await client.responses.create({ model: MODEL, input: QUESTION }).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(APIError);
    const { status, code, headers } = failed as APIError & { headers: Headers };
    expect({ status, code }).toEqual({ status: 502, code: 'incomplete_response' });
    const id = (headers.get('x-turn-id') ?? '').replace('turn_', 'resp_');
    expect(await client.responses.retrieve(id)).toMatchObject({
      status: 'failed',
      output_text: 'Par',
      error: { code: 'server_error', message: expect.stringMatching(/\[incomplete_response\]$/) },
    });
  });

  it('is deleted with its session where that holds nothing else, else alone', async () => {
    server.ollama.reply(text('Paris.'), text('Paris.'), text('Berlin.'));
    const alone = await client.responses.create({ model: MODEL, input: QUESTION });
    await client.responses.delete(alone.id);
    expect((await server.get(`/sessions/${sessionOf(alone)}`)).status).toBe(404);
    const first = await client.responses.create({ model: MODEL, input: 'Again.' });
    const second = await client.responses.create({
      model: MODEL,
      input: 'And?',
      previous_response_id: first.id,
    });
    await client.responses.delete(second.id);
    await expect(client.responses.retrieve(second.id)).rejects.toMatchObject({ status: 404 });
    expect(await server.messages(sessionOf(first))).toHaveLength(4);
  });

  it('tells how long an input is', async () => {
    const { input_tokens } = await client.responses.inputTokens.count({ model: MODEL, input: QUESTION });
    expect(input_tokens).toBeGreaterThan(3);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'no such response',
      { previous_response_id: 'resp_0f3c5a9d21be' },
      { status: 404, type: 'invalid_request_error' },
    ],
    ['no such conversation', { conversation: 'conv_0123456789' }, { status: 404 }],
    [
      'a field of a wrong type',
      { temperature: 'hot' },
      { status: 400, code: 'invalid_request', param: '/temperature' },
    ],
    [
      'a model that is not there',
      { model: 'nobody' },
      { status: 404, code: 'model_not_found', param: 'model' },
    ],
    [
      'a window that is too small',
      { input: 'word '.repeat(200_000) },
      { status: 400, code: 'context_length_exceeded' },
    ],
  ])('is refused in its own words: %s', async (_, body, error) => {
    await expect(client.responses.create({ model: MODEL, input: 'x', ...body })).rejects.toMatchObject(error);
  });

  it('is not compacted, and says so', async () => {
    await expect(client.responses.compact({ model: MODEL, input: 'x' })).rejects.toMatchObject({
      status: 404,
      code: 'unknown_url',
      message: expect.stringContaining('truncation'),
    });
    await expect(client.responses.retrieve('compact')).rejects.toMatchObject({ status: 404 });
    await expect(client.responses.delete('compact')).rejects.toMatchObject({ status: 404 });
  });
});

describe('a conversation', () => {
  it('whose items cannot be stored is not there', async () => {
    const listed = async () => (await server.get('/sessions?limit=1000&unlisted=true')).body.sessions.length;
    const before = await listed();
    const driver = new SqliteDriver(join(server.dataDir, 'mochi.db'));
    driver.exec(
      "create trigger refuse before insert on messages when new.content = 'Refuse.' begin select raise(abort, 'refused'); end",
    );
    const items = [{ type: 'message' as const, role: 'user' as const, content: 'Refuse.' }];
    await expect(client.conversations.create({ items })).rejects.toMatchObject({ status: 500 });
    driver.exec('drop trigger refuse');
    driver.close();
    expect(await listed()).toBe(before);
  });

  it('is a session: made, read, changed, deleted', async () => {
    const { id, metadata } = await client.conversations.create({
      metadata: { topic: 'towns' },
      items: [
        { type: 'message', role: 'user', content: QUESTION },
        { role: 'assistant', content: 'Paris.' },
      ],
    });
    expect(metadata).toEqual({ topic: 'towns' });
    server.ollama.reply(text('Berlin.'));
    await client.responses.create({ model: MODEL, conversation: id, input: 'And of Germany?' });
    expect(asked()).toEqual([`user: ${QUESTION}`, 'assistant: Paris.', 'user: And of Germany?']);

    const all = [];
    for await (const item of client.conversations.items.list(id, { limit: 2, order: 'asc' })) all.push(item);
    expect(all.map((item) => ('role' in item ? item.role : item.type))).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ]);
    const [newest] = (await client.conversations.items.list(id, { limit: 1 })).data;
    expect(newest).toMatchObject({ role: 'assistant', content: [{ text: 'Berlin.' }] });
    expect(await client.conversations.items.retrieve(all[0]?.id ?? '', { conversation_id: id })).toEqual(
      all[0],
    );

    const added = await client.conversations.items.create(id, {
      items: [{ type: 'message', role: 'user', content: 'Thanks.' }],
    });
    expect(added.data).toMatchObject([{ role: 'user', content: [{ type: 'input_text', text: 'Thanks.' }] }]);
    await expect(
      client.conversations.items.delete(all[0]?.id ?? '', { conversation_id: id }),
    ).rejects.toMatchObject({ status: 400 });
    await client.conversations.items.delete(added.data[0]?.id ?? '', { conversation_id: id });
    expect(await server.messages(id.replace('conv_', ''))).toHaveLength(4);

    expect(await client.conversations.update(id, { metadata: { topic: 'cities' } })).toMatchObject({
      metadata: { topic: 'cities' },
    });
    await client.conversations.delete(id);
    await expect(client.conversations.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });
});
