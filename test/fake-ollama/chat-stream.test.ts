// The bytes of a chat answer: pieces, shapes of chunks, and every way in which a stream goes wrong.
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ChatScript,
  chunks,
  httpAnswer,
  httpError,
  hugeLine,
  type SplitMode,
  sequence,
  text,
  thinking,
  tokens,
  toolCall,
  toolCalls,
  twoChunks,
} from './chat-script.ts';
import { type FakeOllama, startFakeOllama } from './fake-ollama.ts';
import { emptyAnswer, exceedContextError, htmlAnswer, plainAnswer, redirectAnswer } from './http-answer.ts';
import { chatBody, messageOf, postChat } from './read-chat.ts';
import * as change from './script-modifiers.ts';
import { type ScriptModifier, script } from './script-modifiers.ts';

let fake: FakeOllama;
beforeAll(async () => {
  fake = await startFakeOllama();
});
afterAll(() => fake.close());

function play(base: ChatScript, ...modifiers: ScriptModifier[]) {
  fake.reply(script(base, ...modifiers));
  return postChat(fake.url);
}

const dones = (answer: { lines: readonly (Record<string, unknown> | null)[] }) =>
  answer.lines.map((line) => line?.['done']);

/** One entry per HTTP chunk: unlike fetch, node:http never joins what has arrived before it is read. */
async function piecesOf(mode: SplitMode): Promise<Buffer[]> {
  fake.reply(script(text('Žluťoučký ', '🐎'), change.split(mode)));
  const request = httpRequest(`${fake.url}/api/chat`, { method: 'POST' });
  request.end(JSON.stringify(chatBody()));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  response.on('data', (piece: Buffer) => pieces.push(piece));
  await once(response, 'end');
  return pieces;
}

test('splits the bytes, also inside characters', async () => {
  const [whole, joined, bytes, sevens] = [
    await piecesOf('whole'),
    await piecesOf('joined'),
    await piecesOf('byte'),
    await piecesOf(7),
  ];
  expect(whole.map((piece) => piece.at(-1))).toEqual([10, 10, 10]);
  expect(joined).toHaveLength(1);
  expect(new Set(bytes.map((piece) => piece.length))).toEqual(new Set([1]));
  expect(new Set(sevens.slice(0, -1).map((piece) => piece.length))).toEqual(new Set([7]));
  for (const pieces of [whole, joined, bytes, sevens]) {
    expect(Buffer.concat(pieces).toString()).toContain('"content":"Žluťoučký "');
  }
});

test('split writes reach a reader split', async () => {
  const answer = await play(text('🐎🐎🐎'), change.split('byte'));
  expect(answer.content).toBe('🐎🐎🐎');
  // A reader that is held up may get two bytes at once; all but a few come alone.
  expect(answer.reads.length).toBeGreaterThan(Buffer.byteLength(answer.text) / 2);
});

test('newlines: none at the end, blank lines in between', async () => {
  const answer = await play(text('a', 'b'), change.noFinalNewline(), change.blankLines());
  expect(answer.lines.map((line) => line === null)).toEqual([false, true, false, true, false]);
  expect(answer.text.endsWith('}')).toBe(true);
});

test('escapes like Go and counts like Ollama', async () => {
  const answer = await play(text('<a> & b'));
  expect(answer.text).toContain('\\u003ca\\u003e \\u0026 b');
  expect(answer.lines[1]).toMatchObject({ done: true, prompt_eval_count: 5, eval_count: 1 });
  const zero = await play(text(), change.finalFields({ prompt_eval_count: 0, done_reason: null }));
  for (const key of ['prompt_eval_count', 'eval_count', 'done_reason']) {
    expect(zero.lines[0]).not.toHaveProperty(key);
  }
  expect((await play(text('a'), change.noCounts())).lines[1]).not.toHaveProperty('eval_count');
});

test('thinking, chunks without content, both in one', async () => {
  const answer = await play(thinking(['hm', ' so'], ['yes']), change.noEmptyContent());
  expect(answer.lines.slice(0, 4).map(messageOf)).toEqual([
    { role: 'assistant', thinking: 'hm' },
    { role: 'assistant', thinking: ' so' },
    { role: 'assistant', content: 'yes' },
    { role: 'assistant' },
  ]);
  const both = await play(chunks({ content: 'a', thinking: 'b' }));
  expect(messageOf(both.lines[0])).toEqual({ role: 'assistant', content: 'a', thinking: 'b' });
});

test('tool calls: early, final, in two chunks, with and without ids', async () => {
  const early = await play(sequence(text('Let me see'), toolCall('add', { a: 1 })));
  expect(early.content).toBe('Let me see');
  expect(dones(early)).toEqual([false, false, true, undefined]);
  expect(messageOf(early.lines[1])?.['tool_calls']).toEqual([
    {
      id: expect.stringMatching(/^call_[a-z0-9]{8}$/),
      function: { index: 0, name: 'add', arguments: { a: 1 } },
    },
  ]);

  const final = await play(toolCall('add', { a: 1 }, { on: 'final', id: false, index: false }));
  expect(dones(final)).toEqual([true, undefined]);
  expect(messageOf(final.lines[0])?.['tool_calls']).toEqual([
    { function: { name: 'add', arguments: { a: 1 } } },
  ]);
  expect(final.lines[0]).toMatchObject({ done_reason: 'stop' });

  const [a, b] = [
    { name: 'a', args: {}, id: 'x' },
    { name: 'b', args: {}, id: 'y' },
  ];
  const calls = (answer: typeof early) =>
    answer.lines.flatMap((line) => messageOf(line)?.['tool_calls'] ?? []);
  const inTwo = await play(twoChunks(a, b));
  const inOne = await play(toolCalls([a, b], 'final'));
  expect(dones(inTwo)).toEqual([false, false, true, undefined]);
  expect(calls(inTwo)).toEqual(calls(inOne));
  expect(calls(inTwo)).toMatchObject([{ function: { index: 0 } }, { function: { index: 1 } }]);
});

test('error lines in all forms', async () => {
  for (const error of ['boom', { code: 500, message: 'boom' }, exceedContextError(9, 4)]) {
    const answer = await play(tokens(3), change.errorAfter(2, error));
    expect(answer).toMatchObject({ status: 200, content: 't0 t1 ', failure: null });
    expect(answer.lines[2]).toEqual({ error });
  }
  const other = await play(tokens(3), change.errorAfter(1, 'raw', 'error parsing tool call'));
  expect(other.lines[1]).toEqual({ 'error parsing tool call': 'raw' });
  expect(await play(tokens(3), change.errorAfter(0, 'boom'))).toMatchObject({ status: 500 });
});

test('garbage, a clean end without done, a closed socket', async () => {
  const garbage = await play(tokens(2), change.lineAfter(1, '<<<'));
  expect(dones(garbage)).toEqual([false, undefined, false, true, undefined]);
  const cut = await play(tokens(3), change.cutAfter(2));
  expect(cut).toMatchObject({ content: 't0 t1 ', failure: null });
  expect(dones(cut)).not.toContain(true);
  const destroyed = await play(tokens(3), change.destroyAfter(2));
  expect(destroyed.content).toBe('t0 t1 ');
  expect(destroyed.failure).toContain('terminated');
  await expect(play(tokens(3), change.destroyAfter(0))).rejects.toThrow('fetch failed');
  expect(() => script(tokens(3), change.cutAfter(5))).toThrow('4 chunks');
});

test('pace: first token, between chunks, pauses; no header comes before the first chunk', async () => {
  fake.reply(script(tokens(3), change.firstTokenMs(80), change.everyMs(20), change.pauseAfter(2, 50)));
  const startedAt = performance.now();
  const response = await fetch(`${fake.url}/api/chat`, {
    method: 'POST',
    body: '{"model":"tiny","messages":[{"role":"user","content":"x"}]}',
  });
  expect(performance.now() - startedAt).toBeGreaterThan(75);
  await response.text();
  expect(performance.now() - startedAt).toBeGreaterThan(80 + 20 + 50 + 15);
});

test('whole answers: errors, pages, redirects, nothing', async () => {
  const busy = await play(httpError(503, 'server busy', { 'retry-after': '1' }));
  expect(busy).toMatchObject({ status: 503, text: '{"error":"server busy"}' });
  expect(await play(httpAnswer(htmlAnswer()))).toMatchObject({ status: 502, contentType: 'text/html' });
  expect(await play(httpAnswer(emptyAnswer(403)))).toMatchObject({
    status: 403,
    text: '',
    contentType: null,
  });
  expect(await play(httpAnswer(plainAnswer(500, 'oops')))).toMatchObject({ status: 500, text: 'oops' });
  expect(await play(httpAnswer(redirectAnswer('/elsewhere')))).toMatchObject({ status: 301 });
});

test('one huge line is written in full, to a client that reads', async () => {
  const answer = await play(hugeLine(8_000_000));
  expect(answer.content).toHaveLength(8_000_000);
});

test('stream:false gives one object, and failures as a status', async () => {
  fake.reply(sequence(thinking(['hm'], ['a', 'b']), toolCall('f', {}, { id: 'x' })));
  const answer = await postChat(fake.url, { stream: false });
  expect(answer.contentType).toBe('application/json; charset=utf-8');
  expect(answer.lines).toMatchObject([
    { done: true, message: { content: 'ab', thinking: 'hm', tool_calls: [{ id: 'x' }] } },
  ]);
  fake.reply(script(tokens(3), change.errorAfter(2, 'boom')), script(tokens(3), change.cutAfter(2)));
  expect(await postChat(fake.url, { stream: false })).toMatchObject({
    status: 500,
    text: '{"error":"boom"}',
  });
  expect((await postChat(fake.url, { stream: false })).lines).toMatchObject([{ done: false }]);
});
