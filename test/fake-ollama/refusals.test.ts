// What the fake refuses before it answers, with the statuses and texts of the real one.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tokens } from './chat-script.ts';
import { defaultModels } from './fake-model.ts';
import { type FakeOllama, startFakeOllama } from './fake-ollama.ts';
import { postChat } from './read-chat.ts';

let fake: FakeOllama;
beforeAll(async () => {
  fake = await startFakeOllama({ models: [...defaultModels, { name: 'strict', strictTemplate: true }] });
});
afterAll(() => fake.close());

test.each<[string, Record<string, unknown>, number, string]>([
  ['unknown model', { model: 'foo' }, 404, "model 'foo' not found"],
  ['no model', { model: '' }, 400, 'model is required'],
  ['bad name', { model: 'a b' }, 400, 'invalid model name'],
  ['think', { think: true }, 400, '"llama3.2" does not support thinking'],
  ['think level', { think: 'x' }, 400, 'invalid think value: "x"'],
  [
    'tools',
    { model: 'tiny', tools: [{ type: 'function', function: { name: 'f' } }] },
    400,
    'registry.ollama.ai/library/tiny:latest does not support tools',
  ],
  ['embedding', { model: 'nomic-embed-text' }, 400, '"nomic-embed-text" does not support chat'],
  [
    'content parts',
    { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    400,
    'json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string',
  ],
  [
    'string arguments',
    { messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{}' } }] }] },
    400,
    "Value looks like object, but can't find closing '}' symbol",
  ],
  [
    'data URI',
    { messages: [{ role: 'user', content: '', images: ['data:image/png;base64,AA=='] }] },
    400,
    'illegal base64 data at input byte 4',
  ],
  ['string num_ctx', { options: { num_ctx: '8192' } }, 500, 'option "num_ctx" must be of type integer'],
  [
    'string temperature',
    { options: { temperature: '1' } },
    500,
    'option "temperature" must be of type float32',
  ],
  ['string stop', { options: { stop: 'x' } }, 500, 'option "stop" must be of type array'],
  ['format', { format: 'xml' }, 500, 'invalid format: "\\"xml\\""'],
  ['keep_alive', { keep_alive: '300' }, 400, 'time: missing unit in duration "300"'],
  [
    'long prompt',
    { truncate: false, options: { num_ctx: 8 }, messages: [{ role: 'user', content: 'x'.repeat(100) }] },
    400,
    '{"error":{"code":400,"message":"request (25 tokens) exceeds the available context size (8 tokens)',
  ],
])('refuses: %s', async (_, changes, status, text) => {
  const answer = await postChat(fake.url, changes);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text).error).toContain(text);
});

test('accepts null and unknown options, and any spelling of a name', async () => {
  const options = { num_ctx: null, nonsense: 'x', stop: ['a'] };
  const model = 'registry.ollama.ai/library/Llama3.2:latest';
  const answer = await postChat(fake.url, { model, options, format: { type: 'object' }, keep_alive: '-1m' });
  expect(answer.lines[0]).toMatchObject({ model });
});

test('cuts a long prompt without a word', async () => {
  fake.reply(tokens(1));
  const messages = [{ role: 'user', content: 'x'.repeat(4000) }];
  const answer = await postChat(fake.url, { messages, options: { num_ctx: 512 } });
  expect(answer.lines.at(-2)).toMatchObject({ prompt_eval_count: 258 });
});

test('a strict template refuses histories that others accept', async () => {
  const histories = [
    [{ role: 'user' }, { role: 'system', content: 'late' }],
    [{ role: 'system', content: 'alone' }],
    [{ role: 'user' }, { role: 'tool', content: 'orphan' }],
  ];
  for (const messages of histories) {
    expect((await postChat(fake.url, { model: 'strict', messages })).status).toBe(400);
  }
  const call = { function: { name: 'f', arguments: {} } };
  const good = [{ role: 'user' }, { role: 'assistant', tool_calls: [call] }, { role: 'tool', content: 'x' }];
  expect((await postChat(fake.url, { model: 'strict', messages: good })).status).toBe(200);
});
