// What the official client of OpenAI finds below /v1 beside its chats: models, vectors, and texts that go on.
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { errorAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startTestServer({
    config: {
      modelAliases: [
        { name: 'gpt-*', model: 'llama3.2' },
        { name: 'text-embedding-3', model: 'nomic-embed-text' },
      ],
    },
  });
  server.ollama.models.push({ name: 'coder:latest', capabilities: ['completion', 'insert'] });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'whatever', maxRetries: 0 });
});
afterAll(() => server.close());

describe('models', () => {
  it('are listed with what both vendors tell of one', async () => {
    const listed = [];
    for await (const model of client.models.list()) listed.push(model);
    expect(listed.find(({ id }) => id === 'llama3.2:latest')).toEqual({
      id: 'llama3.2:latest',
      object: 'model',
      created: 1_785_585_600,
      owned_by: 'library',
      context_length: 131_072,
      type: 'model',
      display_name: 'llama3.2:latest',
      created_at: '2026-08-01T12:00:00.000Z',
    });
    expect(listed.find(({ id }) => id === 'hf.co/org/repo:Q4_K_M')?.owned_by).toBe('org');
    // Vectors are no chat.
    expect(listed.map(({ id }) => id)).not.toContain('nomic-embed-text:latest');
  });

  it('are found by their names, whatever is in them', async () => {
    expect((await client.models.retrieve('llama3.2')).id).toBe('llama3.2');
    expect((await client.models.retrieve('hf.co/org/repo:Q4_K_M')).owned_by).toBe('org');
    expect((await client.models.retrieve('gpt-4o')).id).toBe('gpt-4o');
    await expect(client.models.retrieve('nope')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'invalid_request_error',
      param: 'model',
    });
  });
});

describe('vectors', () => {
  it('are the same in either form', async () => {
    const model = 'nomic-embed-text';
    // Unasked, the client asks for bytes, and makes numbers of them.
    const bytes = await client.embeddings.create({ model, input: ['one', 'two'] });
    const numbers = await client.embeddings.create({
      model,
      input: ['one', 'two'],
      encoding_format: 'float',
    });
    expect(bytes.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
    for (const [at, { embedding }] of bytes.data.entries()) {
      for (const [part, value] of embedding.entries()) {
        expect(value).toBeCloseTo(numbers.data[at]?.embedding[part] ?? 0, 6);
      }
    }
    expect(numbers.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
    const named = await client.embeddings.create({ model: 'text-embedding-3', input: 'one', dimensions: 4 });
    expect([named.model, named.data[0]?.embedding.length]).toEqual(['text-embedding-3', 4]);
  });

  it.each([
    ['tokens', { input: [1, 2, 3] }, '/input/0'],
    ['nothing', { input: [] }, '/input'],
    ['a form that is none', { input: 'one', encoding_format: 'hex' }, '/encoding_format'],
  ])('are not made of %s', async (_what, body, param) => {
    const request = { model: 'nomic-embed-text', ...body } as OpenAI.EmbeddingCreateParams;
    await expect(client.embeddings.create(request)).rejects.toMatchObject({ status: 400, param });
  });

  it('are made by models that can', async () => {
    const request = client.embeddings.create({ model: 'llama3.2', input: 'one' });
    await expect(request).rejects.toMatchObject({ status: 400, code: 'not_supported' });
  });
});

describe('texts', () => {
  const prompt = 'The capital of France is';

  it('go on, whole and in a stream', async () => {
    server.ollama.reply(text(' Par', 'is.'), text(' Par', 'is.'));
    const whole = await client.completions.create({ model: 'gpt-3.5', prompt, max_tokens: 5 });
    expect(whole).toMatchObject({
      id: expect.stringMatching(/^cmpl-[0-9a-f]{12}$/),
      object: 'text_completion',
      model: 'gpt-3.5',
      choices: [{ index: 0, text: ' Paris.', finish_reason: 'stop' }],
    });
    expect(server.ollama.requestsTo('/api/chat').at(-1)?.body).toMatchObject({
      model: 'llama3.2',
      options: { num_predict: 5 },
    });
    const stream = await client.completions.create({
      model: 'gpt-3.5',
      prompt,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(' Paris.');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
  });

  it('fill a gap', async () => {
    server.ollama.reply(text('return a + b;'));
    const request = { model: 'coder', prompt: 'function add(a, b) { ', suffix: ' }' };
    const { choices } = await client.completions.create(request);
    expect(choices[0]?.text).toBe('return a + b;');
    expect(server.ollama.requestsTo('/api/generate').at(-1)?.body).toMatchObject(request);
  });

  it('break off as what they are', async () => {
    server.ollama.reply(script(text('a', 'b'), errorAfter(1, 'out of luck')));
    const stream = await client.completions.create({ model: 'llama3.2', prompt, stream: true });
    const read = async () => {
      for await (const chunk of stream) void chunk;
    };
    await expect(read()).rejects.toThrow('out of luck');
  });

  it.each([
    ['several answers', { n: 2 }, 'n'],
    ['the prompt once more', { echo: true }, 'echo'],
    ['probabilities', { logprobs: 3 }, 'logprobs'],
  ])('are refused with %s', async (_what, body, param) => {
    const refused = client.completions.create({ model: 'llama3.2', prompt, ...body, stream: false });
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param });
  });
});

describe('what is not there', () => {
  it('is told in the words of OpenAI', async () => {
    await expect(client.files.list()).rejects.toMatchObject({ status: 404, code: 'unknown_url' });
    const { status, headers } = await fetch(`${server.url}/v1/embeddings`);
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is nothing at all where the operator wants it so', async () => {
    await server.restart({ dialects: ['ollama'] });
    const answer = await fetch(`${server.url}/v1/models`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { detail: { error: expect.objectContaining({ code: 'not_found' }) } },
    ]);
    expect((await fetch(`${server.url}/api/tags`)).status).toBe(200);
    await server.restart({ dialects: [] });
    expect((await fetch(`${server.url}/api/tags`)).status).toBe(404);
  });
});
