// Messages as they are read: every key of the original, always; in pages when asked; while they are written.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertMessages } from '../../src/store/insert-messages.ts';
import { updateSession } from '../../src/store/sessions.ts';
import { sequence, text, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID, TIMESTAMP } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const nothing = {
  thinking: null,
  model: null,
  eval_count: null,
  prompt_eval_count: null,
  finish_reason: null,
  tool_calls: null,
  source_file: null,
  tool_name: null,
};

describe('GET /sessions/{id}/messages?around=', () => {
  it('is the page with the message in its middle, as far as there are messages on both sides', async () => {
    const sessionId = await server.createSession({ system_prompt: 'Be brief.' });
    for (const message of ['1', '2', '3']) await server.chat(sessionId, { message });
    const all = await server.messages(sessionId);
    const around = async (at: number, limit: number) => {
      const query = `around=${all[at].message_id}&limit=${limit}`;
      const { body } = await server.get(`/sessions/${sessionId}/messages?${query}`);
      expect(body.messages).toEqual(all.slice(body.from, body.from + limit));
      return [body.from, body.messages.length, body.total];
    };
    expect(await around(3, 2)).toEqual([2, 2, 7]);
    expect(await around(3, 5)).toEqual([1, 5, 7]);
    expect(await around(0, 4)).toEqual([0, 4, 7]);
    expect(await around(1, 4)).toEqual([0, 4, 7]);
    expect(await around(6, 4)).toEqual([4, 3, 7]);
    expect(await around(6, 1)).toEqual([6, 1, 7]);
  });

  it('says of a message on another branch that it is there, and refuses what says twice where to begin', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Old' });
    const [old] = await server.messages(sessionId);
    await server.chat(sessionId, { message: 'New', replaces: old.message_id });
    const read = (query: string) => server.get(`/sessions/${sessionId}/messages?${query}`);
    const away = await read(`limit=2&around=${old.message_id}`);
    expect([away.status, away.body.detail.error]).toMatchObject([
      404,
      { code: 'message_not_found', details: { on_other_branch: true } },
    ]);
    expect((await read('limit=2&around=none')).body.detail.error.details.on_other_branch).toBeUndefined();
    const [shown] = await server.messages(sessionId);
    expect((await read(`limit=9&around=${shown.message_id}`)).body).toMatchObject({ from: 0, total: 2 });
    for (const query of ['around=x', 'around=x&limit=2&from=1', 'around=&limit=2'])
      expect((await read(query)).status).toBe(422);
  });
});

describe('GET /sessions/{id}/messages', () => {
  it('shows all keys of every role, nulls included, and where each message hangs', async () => {
    const sessionId = await server.createSession({
      system_prompt: 'Be brief.',
      system_prompt_source_file: 'b.md',
    });
    server.ollama.reply(toolCall('rm', { path: 'a' }), text('I cannot.'));
    const { body } = await server.chat(sessionId, { message: 'Delete a' });
    const messages = await server.messages(sessionId);
    const ids = messages.map(({ message_id: id }) => id);
    expect(new Set(ids).size).toBe(5);
    const common = (index: number) => ({
      ...nothing,
      message_id: expect.stringMatching(ID),
      timestamp: expect.stringMatching(TIMESTAMP),
      parent_id: index === 0 ? null : ids[index - 1],
      turn_id: index === 0 ? null : body.turn_id,
      status: 'complete',
      sibling_count: 1,
      sibling_index: 0,
    });
    const counts = {
      model: 'llama3.2:latest',
      eval_count: expect.any(Number),
      prompt_eval_count: expect.any(Number),
    };
    expect(messages).toEqual([
      { ...common(0), role: 'system', content: 'Be brief.', source_file: 'b.md' },
      { ...common(1), role: 'user', content: 'Delete a' },
      {
        ...common(2),
        ...counts,
        finish_reason: 'tool_calls',
        role: 'assistant',
        content: '',
        tool_calls: [{ function: { name: 'rm', arguments: { path: 'a' } } }],
      },
      { ...common(3), role: 'tool', content: expect.stringMatching(/^Error: /), tool_name: 'rm' },
      { ...common(4), ...counts, finish_reason: 'stop', role: 'assistant', content: 'I cannot.' },
    ]);
  });

  it('shows thinking, and images where there are any', async () => {
    const thinker = await server.createSession({ model: 'qwen3:14b' });
    await server.chat(thinker, { message: 'Think', think: true });
    expect((await server.messages(thinker))[1]).toMatchObject({ thinking: 'The user asks about France.' });
    const viewer = await server.createSession({ model: 'llava:7b' });
    await server.chat(viewer, { message: 'What is it?', images: ['aGVsbG8='] });
    const [asked, answered] = await server.messages(viewer);
    expect([asked.images, answered.images]).toEqual([['aGVsbG8='], undefined]);
  });

  it('of an empty session is an empty list', async () => {
    const sessionId = await server.createSession();
    const { body } = await server.get(`/sessions/${sessionId}/messages`);
    expect(body).toEqual({ from: 0, total: 0, messages: [], next_cursor: null });
  });

  it('keeps every character of a text', async () => {
    const message = ' \u0000\u2028"\\\r\n\t😀 e\u0301 \u202e<b>&amp;</b> \u{10FFFF}  ';
    const sessionId = await server.createSession();
    server.ollama.reply(text(message));
    await server.chat(sessionId, { message });
    expect((await server.messages(sessionId)).map(({ content }) => content)).toEqual([message, message]);
  });

  it('shows an answer while it is written, and its part after it was cut', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(sequence(text('Once upon'), text(' a time')), hangAfter(1)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Tell me' });
    const lastStatus = async () => (await server.messages(sessionId)).at(-1);
    await expect
      .poll(lastStatus, { timeout: 10_000 })
      .toMatchObject({ role: 'assistant', content: 'Once upon', status: 'streaming' });
    stream.abort();
    await expect
      .poll(lastStatus, { timeout: 10_000 })
      .toMatchObject({ role: 'assistant', content: 'Once upon', status: 'partial' });
  });

  it.each(['abc123', '..%2F', 'a'.repeat(65)])('answers 404 for the session %s', async (id) => {
    expectError(await server.get(`/sessions/${id}/messages`), 404, 'session_not_found');
  });
});

describe('pages of messages', () => {
  let sessionId: string;
  const LENGTH = 1200;
  beforeAll(async () => {
    sessionId = await server.createSession({ system_prompt: 'Count.' });
    const store = await openDatabaseOf(server.dataDir, { exclusive: false });
    await insertMessages(
      store.db,
      Array.from({ length: LENGTH }, (_, depth) => ({
        sessionId,
        id: `m${depth}`,
        parentId: depth === 0 ? null : `m${depth - 1}`,
        depth,
        active: true,
        role: depth % 2 === 0 ? ('user' as const) : ('assistant' as const),
        content: String(depth),
        timestamp: '2026-01-01T00:00:00.000000Z',
        status: 'complete' as const,
      })),
    );
    await updateSession(store.db, sessionId, { head_id: `m${LENGTH - 1}`, head_depth: LENGTH - 1 });
    await store.close();
  });

  const expected = ['Count.', ...Array.from({ length: LENGTH }, (_, depth) => String(depth))];

  it.each(['messages', 'tree'])('%s: all of them without a limit', async (list) => {
    const { body } = await server.get(`/sessions/${sessionId}/${list}`);
    expect(contentsOf(body)).toEqual(expected);
    expect(body.next_cursor).toBeNull();
  });

  it.each([
    ['messages', 1000, [1000, 201]],
    ['messages', 400, [400, 400, 400, 1]],
    ['messages', 1, [1, 1, 1]],
    ['tree', 1000, [1000, 201]],
    ['tree', 400, [400, 400, 400, 1]],
    ['tree', 1, [1, 1, 1]],
  ])('%s: pages of %i in order', async (list, limit, lengths) => {
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null && pages.length < lengths.length) {
      const { body } = await server.get(
        `/sessions/${sessionId}/${list}?limit=${limit}${cursor && `&cursor=${cursor}`}`,
      );
      pages.push(contentsOf(body));
      cursor = body.next_cursor;
    }
    expect(pages.map((page) => page.length)).toEqual(lengths);
    const seen = pages.flat();
    expect(seen).toEqual(expected.slice(0, seen.length));
    // The short walks stop early; the others have seen the end.
    expect(cursor === null).toBe(seen.length === expected.length);
  });

  it.each([
    ['from=0&limit=2', 0, 2],
    ['from=1&limit=2', 1, 2],
    ['from=1199&limit=100', 1199, 2],
    ['from=1201', 1201, 0],
    ['from=5000&limit=3', 1201, 0],
    ['from=-1', 1200, 1],
    ['from=-100&limit=100', 1101, 100],
    ['from=-100&limit=10', 1101, 10],
    ['from=-1201&limit=1', 0, 1],
    ['from=-5000&limit=3', 0, 3],
    ['from=-900', 301, 900],
    ['from=150', 150, 1051],
    ['limit=1', 0, 1],
    ['', 0, 1201],
  ])('%s: a stretch from anywhere says where it begins', async (query, from, length) => {
    const { body } = await server.get(`/sessions/${sessionId}/messages?${query}`);
    expect([body.from, body.total]).toEqual([from, LENGTH + 1]);
    expect(contentsOf(body)).toEqual(expected.slice(from, from + length));
    expect(body.next_cursor === null).toBe(from + length >= LENGTH + 1);
  });

  it('a stretch goes on by its cursor, and the page after says where it begins, too', async () => {
    const path = `/sessions/${sessionId}/messages?limit=100`;
    const { body: first } = await server.get(`${path}&from=-150`);
    const { body: second } = await server.get(`${path}&cursor=${first.next_cursor}`);
    expect([second.from, second.total, second.next_cursor]).toEqual([1151, 1201, null]);
    expect([...contentsOf(first), ...contentsOf(second)]).toEqual(expected.slice(-150));
  });

  it('a position counts the system message only where there is one', async () => {
    const plain = await server.createSession();
    await server.chat(plain, { message: 'One.' });
    const { body } = await server.get(`/sessions/${plain}/messages?from=1&limit=5`);
    expect([body.from, body.total, body.messages[0].role]).toEqual([1, 2, 'assistant']);
    const { body: whole } = await server.get(`/sessions/${plain}/messages?from=0&limit=1`);
    expect(contentsOf(whole)).toEqual(['One.']);
  });

  it.each(['', 'abc', '1.5', '1e400', '2147483648', '-2147483649', 'null'])(
    'refuses the position %j',
    async (from) => {
      const answer = await server.get(`/sessions/${sessionId}/messages?from=${from}`);
      expect(expectError(answer, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/from' }] });
    },
  );

  it('refuses a position beside a cursor, and other words for images', async () => {
    const { body } = await server.get(`/sessions/${sessionId}/messages?limit=1`);
    const both = await server.get(`/sessions/${sessionId}/messages?from=0&cursor=${body.next_cursor}`);
    expect(expectError(both, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/from' }] });
    const images = await server.get(`/sessions/${sessionId}/messages?images=none`);
    expect(expectError(images, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/images' }] });
  });

  it.each(['messages', 'tree'])('%s: a page that ends with the list has no cursor', async (list) => {
    const other = await server.createSession({ system_prompt: 'One.' });
    await server.chat(other, { message: 'Two.' });
    const { body } = await server.get(`/sessions/${other}/${list}?limit=3`);
    expect([body.messages.length, body.next_cursor]).toEqual([3, null]);
  });

  it.each(['messages', 'tree'])('%s: refuse limits and cursors that make no sense', async (list) => {
    for (const limit of ['0', '-1', '1001', '1.5', 'abc', '']) {
      const answer = await server.get(`/sessions/${sessionId}/${list}?limit=${limit}`);
      expect(expectError(answer, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/limit' }] });
    }
    const texts = ['[]', '["5"]', '[1,2]', 'null', '5', '{}'];
    for (const cursor of ['', 'abc', ...texts.map((part) => Buffer.from(part).toString('base64url'))]) {
      const answer = await server.get(`/sessions/${sessionId}/${list}?cursor=${cursor}`);
      expectError(answer, 400, 'invalid_cursor');
    }
  });
});

function contentsOf(body: { messages: { content: string }[] }): string[] {
  return body.messages.map(({ content }) => content);
}
