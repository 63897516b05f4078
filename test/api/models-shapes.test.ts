// What engines of other ages and makes say about their models, and what a client sees of it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { type StubAnswer, type StubOllama, startStubOllama } from './stub-ollama.ts';
import { expectError } from './wire-formats.ts';

let ollama: StubOllama;
let server: TestServer;
let tags: unknown;
/** Answers of /api/show by model. */
let shows: Record<string, StubAnswer>;
beforeAll(async () => {
  ollama = await startStubOllama(({ path, body }) =>
    path === '/api/tags' ? { body: tags } : (shows[body.model] ?? { body: {} }),
  );
  server = await startTestServer({ config: { ollamaHost: ollama.url } });
});
afterAll(async () => {
  await server.close();
  await ollama.close();
});

// What is known by a digest stays known: each test has models of its own.
let model: string;
let count = 0;
beforeEach(() => {
  count += 1;
  model = `model${count}:latest`;
  tags = { models: [{ name: model, digest: `digest${count}`, size: 1_048_576 }] };
  shows = {};
});

describe('details', () => {
  it('that are missing are unknown, and a model without capabilities can chat', async () => {
    expect((await server.get('/models')).body.models).toEqual([
      {
        name: model,
        size_mb: 1,
        format: 'unknown',
        family: 'unknown',
        parameter_size: 'unknown',
        quantization_level: 'unknown',
        capabilities: ['completion'],
        context_length: 2048,
      },
    ]);
  });

  it('of wrong types do no harm', async () => {
    tags = {
      models: [
        { model, size: 'large', digest: 7, details: { format: null, family: 7, parameter_size: '' } },
        { size: 5 },
        null,
        'text',
      ],
    };
    shows[model] = { body: { capabilities: [], model_info: { 'llama.context_length': '4096' } } };
    const { status, body } = await server.get('/models');
    expect(status).toBe(200);
    expect(body.models).toMatchObject([
      { name: model, size_mb: 0, family: 'unknown', capabilities: ['completion'], context_length: 2048 },
    ]);
  });

  it.each([
    [1_048_576, 1],
    [1_100_000, 1],
    [1_101_005, 1.1],
    [9_048_166_400, 8629],
    [0, 0],
  ])('%i bytes are %d MB', async (size, megabytes) => {
    tags = { models: [{ name: model, digest: model, size }] };
    expect((await server.get(`/models/${model}`)).body.size_mb).toBe(megabytes);
  });
});

describe('context_length', () => {
  const family = { details: { family: 'fam' } };
  it.each<[string, object, object, number]>([
    [
      'under the architecture',
      {},
      { 'general.architecture': 'x', 'y.context_length': 1, 'x.context_length': 9 },
      9,
    ],
    ['under the family', family, { 'a.context_length': 1, 'fam.context_length': 9 }, 9],
    ['without a prefix', {}, { context_length: 9 }, 9],
    ['under any name', {}, { 'a.b': 1, 'z.context_length': 9 }, 9],
    ['not at all', {}, { 'general.architecture': 'x' }, 2048],
    ['as nonsense', {}, { 'general.architecture': 'x', 'x.context_length': 0 }, 2048],
  ])('is found %s', async (_where, entry, info, length) => {
    tags = { models: [{ name: model, digest: model, ...entry }] };
    shows[model] = { body: { ...entry, model_info: info } };
    expect((await server.get(`/models/${model}`)).body.context_length).toBe(length);
  });
});

describe('a model that the engine will not describe', () => {
  it.each<[string, StubAnswer]>([
    ['an error', { status: 500, body: { error: 'broken' } }],
    ['404', { status: 404, body: { error: 'model not found' } }],
    ['no object', { body: 'text' }],
    ['a closed connection', { body: undefined }],
  ])('is left out of the list (%s), which still answers', async (_what, answer) => {
    const other = `${model}-b`;
    tags = { models: [model, other].map((name) => ({ name, digest: name })) };
    shows[model] = answer;
    const { status, body } = await server.get('/models');
    expect([status, body.models?.map(({ name }: { name: string }) => name)]).toEqual([200, [other]]);
  });

  it('is asked about again next time', async () => {
    const other = `${model}-b`;
    tags = { models: [model, other].map((name) => ({ name, digest: name })) };
    shows[model] = { status: 500, body: { error: 'busy' } };
    expect((await server.get('/models')).body.models).toMatchObject([{ name: other }]);
    shows = {};
    expect((await server.get('/models')).body.models).toMatchObject([{ name: model }, { name: other }]);
  });
});

it.each([[{ models: null }], [{}], [{ models: {} }]])(
  'no list at all (%j) is an empty list',
  async (answer) => {
    tags = answer;
    expect((await server.get('/models')).body).toEqual({ models: [] });
  },
);

it.each([['text'], [[]], [null], [7]])(
  'an answer that is no object (%j) is an error of the engine',
  async (answer) => {
    tags = answer;
    expectError(await server.get('/models'), 502, 'ollama_error');
  },
);
