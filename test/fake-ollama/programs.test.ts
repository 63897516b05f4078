// The named programs, and the fake as a command.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeOllama, startFakeOllama } from './fake-ollama.ts';
import { messageOf, postChat } from './read-chat.ts';

let fake: FakeOllama;
beforeAll(async () => {
  fake = await startFakeOllama({ programs: { pacedTokens: 6, rogueTool: 'rm' } });
});
afterAll(() => fake.close());

const schema = {
  type: 'object',
  required: ['city', 'days', 'units'],
  properties: {
    city: { type: 'string' },
    days: { type: 'array', items: { type: 'integer' } },
    units: { enum: ['c', 'f'] },
    note: { type: 'string' },
  },
};
const tools = ['weather', 'news'].map((name) => ({
  type: 'function',
  function: { name, description: name, parameters: schema },
}));
const sampleArguments = { city: 'Paris', days: [1], units: 'c' };
const afterCall = [
  { role: 'user', content: 'x' },
  { role: 'assistant', tool_calls: [{ function: { name: 'weather', arguments: {} } }] },
  { role: 'tool', tool_name: 'weather', content: '11 degrees' },
];

async function callsOf(model: string, changes: Record<string, unknown> = {}) {
  const { lines } = await postChat(fake.url, { model, tools, ...changes });
  return lines.flatMap((line) => (messageOf(line)?.['tool_calls'] ?? []) as Record<string, unknown>[]);
}

test('each program is an installed model, only where asked for', async () => {
  const names = fake.models.map((model) => model.name);
  expect(names).toEqual(expect.arrayContaining(['slow:latest', 'mute:latest', 'flood:latest']));
  const plain = await startFakeOllama();
  expect(plain.models.map((model) => model.name)).not.toContain('slow:latest');
  await plain.close();
});

test('early-tool, final-tool, two-chunks: a round of tools, then an answer that quotes the result', async () => {
  const call = { function: { name: 'weather', arguments: sampleArguments } };
  expect(await callsOf('early-tool')).toMatchObject([call]);
  expect(await callsOf('final-tool')).toMatchObject([call]);
  expect(await callsOf('two-chunks')).toMatchObject([call, { function: { name: 'news', index: 1 } }]);
  for (const model of ['early-tool', 'final-tool', 'two-chunks', 'rogue']) {
    const { content } = await postChat(fake.url, { model, tools, messages: afterCall });
    expect(content).toBe('The tool answered: 11 degrees');
  }
  expect(await callsOf('early-tool', { tools: [] })).toEqual([]);
});

test('string-args, wrong-name, many-calls, same-again: what small models do to calls', async () => {
  const asText = { city: 'Paris', days: '[1]', units: 'c' };
  expect(await callsOf('string-args')).toMatchObject([
    { function: { name: 'weather', arguments: JSON.stringify(asText) } },
  ]);
  expect(await callsOf('wrong-name')).toMatchObject([{ function: { name: 'WEATHER' } }]);
  expect(await callsOf('many-calls')).toHaveLength(130);
  const failed = [...afterCall.slice(0, 2), { ...afterCall[2], content: 'Error: no' }];
  expect(await callsOf('same-again', { messages: afterCall })).toHaveLength(1);
  expect(await callsOf('same-again', { messages: failed })).toEqual([]);
});

test('loop, rogue, tool-then-error', async () => {
  expect(await callsOf('loop', { messages: afterCall })).toHaveLength(1);
  expect(await callsOf('rogue')).toMatchObject([{ function: { name: 'rm' } }]);
  expect(await callsOf('tool-then-error')).toHaveLength(1);
  const failed = await postChat(fake.url, { model: 'tool-then-error', tools, messages: afterCall });
  expect(failed.status).toBe(500);
});

test('cut, mid-error, nocount, big', async () => {
  expect((await postChat(fake.url, { model: 'cut' })).text).not.toContain('"done":true');
  expect((await postChat(fake.url, { model: 'mid-error' })).lines.at(-2)).toHaveProperty('error');
  expect((await postChat(fake.url, { model: 'nocount' })).text).not.toContain('eval_count');
  expect((await postChat(fake.url, { model: 'big' })).lines.at(-2)).toMatchObject({
    prompt_eval_count: 40_000,
  });
});

test('slow takes 3 s at least, paced keeps at most 30 tokens a second', async () => {
  const startedAt = performance.now();
  const timed = async (model: string) => {
    const { lines } = await postChat(fake.url, { model });
    return { count: lines.length - 2, ms: performance.now() - startedAt };
  };
  const [slow, paced] = await Promise.all([timed('slow'), timed('paced')]);
  expect(slow.count).toBe(20);
  expect(slow.ms).toBeGreaterThan(2900);
  expect(paced.count).toBe(6);
  expect(paced.ms).toBeGreaterThan(190);
});

test('flood: 32 answers of 400 tokens at once', async () => {
  const answers = await Promise.all(Array.from({ length: 32 }, () => postChat(fake.url, { model: 'flood' })));
  for (const answer of answers) {
    expect(answer.lines).toHaveLength(402);
    expect(answer.lines.at(-2)).toMatchObject({ model: 'flood', eval_count: 400 });
  }
});

test('runs as a command until SIGTERM', async () => {
  const command = spawn(process.execPath, [`${import.meta.dirname}/main.ts`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(command.stdout, 'data');
  const [, url = ''] = /^fake ollama on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line)) ?? [];
  const mute = postChat(url, { model: 'mute' }).catch((error: Error) => error.message);
  expect((await postChat(url, { model: 'nocount' })).content).toBe('No counts');
  command.kill('SIGTERM');
  expect(await once(command, 'exit')).toEqual([0, null]);
  expect(await mute).toBe('fetch failed');
});
