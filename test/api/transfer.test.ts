// Export and import over HTTP: formats, damage, running sessions, what is refused.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { countReaders } from '../support/count-readers.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID } from './wire-formats.ts';

const NDJSON = 'application/x-ndjson';

let server: TestServer;
let other: TestServer;
beforeAll(async () => {
  [server, other] = await Promise.all([startTestServer(), startTestServer()]);
});
afterAll(() => Promise.all([server.close(), other.close()]));

const exportOf = (id: string, format = 'jsonl', from = server) =>
  fetch(`${from.url}/api/v1/sessions/${id}/export?format=${format}`);
const linesOf = async (id: string, from = server) =>
  (await (await exportOf(id, 'jsonl', from)).text()).split('\n').slice(0, -1);
const send = (body: string, to = other) => to.post('/sessions/import', body, { 'content-type': NDJSON });
const sendJson = (body: unknown, to = other) => to.post('/sessions/import', body);

/** A session with a system prompt, an image, two branches and a tool call. */
async function richSession(): Promise<string> {
  const id = await server.createSession({ system_prompt: 'Be brief.', title: 'Rich', metadata: { a: [1] } });
  await server.chat(id, { message: 'One' });
  await server.request('PUT', `/sessions/${id}/messages/1`, { content: 'Other' });
  server.ollama.reply(toolCall('look', { at: 'it' }), text('Nothing there.'));
  await server.chat(id, { message: null });
  return id;
}

describe('a turn that a line calls unfinished, with the instant of its end', () => {
  it.each(['running', 'queued', 'waiting'])(
    '%s: is closed like every turn that was under way',
    async (state) => {
      const id = await richSession();
      const lines = (await linesOf(id)).map((line) => JSON.parse(line));
      const changed = lines.map((line) => (line.type === 'turn' ? { ...line, state, error: null } : line));
      const { body } = await send(changed.map((line) => JSON.stringify(line)).join('\n'));
      const [{ session_id: imported }] = body.imported;
      const turns = (await other.get(`/sessions/${imported}/turns`)).body.turns;
      expect(turns.length).toBeGreaterThan(0);
      for (const turn of turns) {
        expect(turn).toMatchObject({ state: 'interrupted', finished_at: expect.any(String) });
      }
    },
  );
});

describe('GET /sessions/{id}/export', () => {
  it('is the session file of the original, by default', async () => {
    const id = await richSession();
    const response = await fetch(`${server.url}/api/v1/sessions/${id}/export`);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${id}.json"`);
    const body = await response.text();
    const { metadata, messages } = JSON.parse(body);
    expect(body.startsWith('{\n  "metadata": {\n    "session_id"')).toBe(true);
    expect(metadata).toMatchObject({
      session_id: id,
      model: 'llama3.2:latest',
      message_count: 5,
      format_version: '1.4',
      title: 'Rich',
      client_metadata: { a: [1] },
      context_window_config: { current_window: 8192 },
    });
    // The keys of each role, and no other: the original refuses those.
    expect(messages.map(Object.keys)).toEqual([
      ['role', 'content', 'source_file', 'message_id', 'timestamp'],
      ['role', 'content', 'message_id', 'timestamp'],
      [
        'role',
        'content',
        'model',
        'eval_count',
        'prompt_eval_count',
        'thinking',
        'tool_calls',
        'message_id',
        'timestamp',
      ],
      ['role', 'tool_name', 'content', 'message_id', 'timestamp'],
      expect.arrayContaining(['model', 'tool_calls']),
    ]);
    expect(messages[2].tool_calls).toEqual([{ function: { name: 'look', arguments: { at: 'it' } } }]);
  });

  it('writes a file of the original as it was read', async () => {
    const file = new URL('../fixtures/original-sessions/server-1.4.json', import.meta.url);
    const original = JSON.parse(readFileSync(file, 'utf8'));
    original.metadata.adjusted_by = 'somebody else';
    original.metadata.tool_settings.unknown = { key: 1 };
    original.of_the_future = [1];
    original.metadata.context_window_config.adjustment_history[0].timestamp = null;
    const { body } = await sendJson(original);
    const { session_id: id } = body.imported[0];
    expect(await (await exportOf(id, 'json', other)).json()).toEqual(original);
  });

  it('as JSONL has the whole tree, one thing a line', async () => {
    const id = await richSession();
    const response = await exportOf(id);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${id}.jsonl"`);
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual(['session', ...Array(7).fill('message'), 'turn', 'turn']);
    const [session, ...rest] = lines;
    const { body: tree } = await server.get(`/sessions/${id}/tree`);
    expect(session).toMatchObject({
      format: 'mochi-jsonl/1',
      head: tree.head,
      message_lines: 7,
      turn_lines: 2,
    });
    const ids = rest.flatMap((line) => (line.type === 'message' ? [line.message_id] : []));
    expect(ids).toEqual(tree.messages.map((message: { message_id: string }) => message.message_id));
    const asking = rest.find(({ calls }) => calls?.length > 0);
    expect(asking.calls).toEqual([
      expect.objectContaining({ name: 'look', arguments: { at: 'it' }, state: 'done', success: false }),
    ]);
  });

  it('answers 404 for a session that is not there, and 422 for a format that is none', async () => {
    const id = await server.createSession();
    expectError(await server.get('/sessions/abc123/export'), 404, 'session_not_found');
    expectError(await server.get('/sessions/..%2f..%2fetc/export?format=jsonl'), 404, 'session_not_found');
    expectError(await server.get(`/sessions/${id}/export?format=xml`), 422, 'validation_error');
  });

  it('is of one moment, however slowly it is read', async () => {
    const user = (index: number) => ({ role: 'user', content: `${index}${'x'.repeat(1_500_000)}` });
    const messages = [{ role: 'system', content: 'S' }, ...[0, 1, 2, 3, 4, 5].map(user)];
    const sent = await sendJson({ metadata: { model: 'llama3.2:latest' }, messages }, server);
    const id = sent.body.imported[0].session_id;
    const before = await readStore(server.dataDir, id);
    const response = await exportOf(id);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) throw new Error('no body');
    let all = (await reader.read()).value ?? '';
    // What changes now is not in the rest: a new prompt, a new name, a new branch.
    await server.request('PUT', `/sessions/${id}/system-prompt`, { content: 'Changed' });
    await server.request('PATCH', `/sessions/${id}`, { title: 'Changed' });
    await server.request('PUT', `/sessions/${id}/messages/1`, { content: 'Changed' });
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      all += value;
    }
    const lines = all
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const exported = lines.filter(({ type }) => type === 'message');
    expect(exported.map(({ content }) => content)).toEqual(before.messages.map(({ content }) => content));
    expect(all).not.toContain('Changed');
  });

  it('lets go when its reader leaves', async () => {
    const { sessions } = (await server.get('/sessions')).body;
    const longest = sessions.find(({ preview }: { preview: string }) => preview === 'Changed');
    const readers = () => countReaders(server.dataDir);
    // The thread that moves the log may come meanwhile, and is no reader.
    const most = (await readers()) + 1;
    for (let index = 0; index < 10; index += 1) {
      const response = await exportOf(longest.session_id);
      await response.body?.cancel();
    }
    await expect.poll(readers, { timeout: 15_000 }).toBeLessThanOrEqual(most);
    for (let index = 0; index < 3; index += 1) {
      await fetch(`${server.url}/api/v1/sessions/${longest.session_id}/export`, { method: 'HEAD' });
    }
    await expect.poll(readers, { timeout: 15_000 }).toBeLessThanOrEqual(most);
    expect((await exportOf(longest.session_id)).status).toBe(200);
  });
});

describe('a running session', () => {
  it('is exported with what is there, and closed where it is imported', async () => {
    const id = await server.createSession();
    server.ollama.reply(script(text('Half ', 'an answer'), hangAfter(2)));
    const stream = await server.stream(`/chat/${id}/stream`, {
      message: 'Go',
      on_disconnect: 'continue',
    });
    for await (const { event } of stream.events) if (event === 'content_delta') break;
    void server.post(`/chat/${id}`, { message: 'Queued', on_busy: 'queue' }).catch(() => undefined);
    await expect.poll(async () => (await server.get(`/sessions/${id}/turns`)).body.turns.length).toBe(2);
    const exported = await linesOf(id);
    const turns = exported.map((line) => JSON.parse(line)).filter(({ type }) => type === 'turn');
    expect(turns.map(({ state }) => state)).toEqual(['running', 'queued']);

    const { body } = await send(exported.join('\n'));
    expect(body.imported).toEqual([{ session_id: id, source_id: id }]);
    const imported = await other.messages(id);
    expect(imported.at(-1)).toMatchObject({ role: 'user', content: 'Queued' });
    expect(imported.map(({ status }) => status)).not.toContain('streaming');
    expect(faultsOf(await readStore(other.dataDir, id))).toEqual([]);
    const { turns: closed } = (await other.get(`/sessions/${id}/turns`)).body;
    expect(closed.map(({ state }: { state: string }) => state)).toEqual(['interrupted', 'interrupted']);
    await other.chat(id, { message: null });
    // The same lines again are the same session, although it has gone on.
    expect((await send(exported.join('\n'))).body.imported).toEqual([]);
    // Each to its end: the one behind would ask for the answer that the next test has laid out.
    await server.post(`/chat/${id}/cancel?wait=true`);
    await server.post(`/chat/${id}/cancel?wait=true`);
    stream.abort();
  });
});

describe('POST /sessions/import', () => {
  it('gives a session whose id is taken by another one a new id', async () => {
    const id = await richSession();
    const first = (await linesOf(id)).join('\n');
    expect((await send(first)).body.imported[0].session_id).toBe(id);
    const found = (await other.get('/sessions?q=Rich')).body.sessions;
    expect(found.map(({ session_id: one }: { session_id: string }) => one)).toContain(id);
    await server.chat(id, { message: 'More' });
    const { status, body } = await send((await linesOf(id)).join('\n'));
    expect(status).toBe(201);
    expect(body.imported).toEqual([{ session_id: expect.stringMatching(ID), source_id: id }]);
    expect(body.imported[0].session_id).not.toBe(id);
    expect((await other.messages(body.imported[0].session_id)).at(-2).content).toBe('More');
    expect(await other.messages(id)).toHaveLength(5);
  });

  it('skips what is identical, also in another order of keys and with other blanks', async () => {
    const id = await richSession();
    const lines = await linesOf(id);
    await send(lines.join('\n'));
    const shuffled = lines.map((line) => {
      const entries = Object.entries(JSON.parse(line)).toReversed();
      return ` ${JSON.stringify(Object.fromEntries(entries), null, 1).replaceAll('\n', ' ')}\r`;
    });
    expect((await send(`\n\n${shuffled.join('\n')}\n\n`)).body).toEqual({
      imported: [],
      skipped: [{ source_id: id, reason: `identical content is there as session ${id}` }],
    });
  });

  it('takes what may be null for null when it is left out', async () => {
    const line = (value: object) => JSON.stringify(value);
    const { body } = await send(
      [
        line({
          type: 'session',
          format: 'mochi-jsonl/1',
          session_id: 'by-hand_1',
          model: 'llama3.2:latest',
          created_at: '2026-02-15T09:49:00.000000Z',
          updated_at: '2026-02-15T09:49:00.000000Z',
          metadata: {},
          tool_settings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
          agent_settings: { enabled_agents: [] },
          context_window: {
            dynamic_enabled: true,
            current_window: 8192,
            last_adjustment: 'initial_setup',
            adjustment_history: [],
            manual_override: false,
          },
          head: 'u1',
        }),
        line({
          type: 'message',
          message_id: 'u1',
          role: 'user',
          content: 'Hi',
          timestamp: '2026-02-15T09:49:00.000000Z',
        }),
      ].join('\n'),
    );
    expect(body.imported).toEqual([{ session_id: 'by-hand_1', source_id: 'by-hand_1' }]);
    const answer = await other.chat('by-hand_1', { message: null });
    expect(answer.body.message.role).toBe('assistant');
  });

  describe('names damage with its line, and stores nothing of that session', () => {
    let id: string;
    let lines: string[];
    let good: string[];
    beforeAll(async () => {
      id = await richSession();
      lines = await linesOf(id);
    });

    const change = (index: number, key: string, value: unknown) =>
      lines.map((line, at) => (at === index ? JSON.stringify({ ...JSON.parse(line), [key]: value }) : line));
    const replace = (index: number, line: string) => lines.map((old, at) => (at === index ? line : old));
    const cases: [string, () => string[], RegExp][] = [
      ['no JSON', () => replace(2, '{"type":"mess'), /^line 3: is not JSON$/],
      ['no object', () => replace(2, '[1]'), /^line 3: is no JSON object$/],
      [
        'half a character',
        () => replace(2, '{"type":"message","content":"\\ud800"}'),
        /^line 3: .*surrogate/,
      ],
      [
        'a number without end',
        () => change(1, 'eval_count', 1).map((line) => line.replace('"eval_count":1', '"eval_count":1e999')),
        /^line 2: .*too large/,
      ],
      ['nesting without end', () => replace(2, '['.repeat(5000) + ']'.repeat(5000)), /^line 3: .*deep/],
      ['an unknown type', () => change(2, 'type', 'note'), /^line 3: is of the type "note"/],
      [
        'a later format',
        () => change(0, 'format', 'mochi-jsonl/2'),
        /^line 1: .*"mochi-jsonl\/2".*mochi-jsonl\/1/,
      ],
      ['an unknown key', () => change(2, 'surprise', 1), /^line 3: \/surprise is not known/],
      ['a missing key', () => change(2, 'content', undefined), /^line 3: .*content/],
      ['a wrong kind', () => change(2, 'content', 7), /^line 3: \/content must be string$/],
      ['a wrong time', () => change(2, 'timestamp', '2026-02-15'), /^line 3: \/timestamp/],
      ['a bad id', () => change(0, 'session_id', '../etc'), /^line 1: \/session_id/],
      [
        'an id twice',
        () => change(3, 'message_id', JSON.parse(lines[2] ?? '').message_id),
        /^line 4: .*twice$/,
      ],
      ['an orphan', () => change(3, 'parent_id', 'nobody'), /^line 4: \/parent_id nobody/],
      ['a turn twice', () => [...lines.slice(0, -1), lines.at(-2) ?? ''], /^line 10: \/turn_id .* twice$/],
      ['a head that is missing', () => change(0, 'head', 'nobody'), /the head nobody is missing/],
      ['a system message that is missing', () => change(0, 'system_id', 'nobody'), /./],
      ['too much metadata', () => change(0, 'metadata', { a: 'x'.repeat(20_000) }), /^line 1: \/metadata/],
      ['an end that is missing', () => lines.slice(0, -2), /turn lines.*not whole/],
      ['a middle that is missing', () => lines.slice(0, 5), /not whole/],
      ['a beginning that is missing', () => lines.slice(1), /^line 1: comes before any session line$/],
    ];

    it.each(cases)('%s', async (_what, damaged, reason) => {
      const sessions = (await other.get('/sessions')).body.sessions.length;
      const body = damaged().join('\n');
      const details = expectError(await send(body), 422, 'validation_error');
      expect(details).toMatchObject({ errors: [{ path: '/body', message: expect.stringMatching(reason) }] });
      expect((await other.get('/sessions')).body.sessions).toHaveLength(sessions);

      // Beside a sound one it is skipped, and the sound one is not.
      good = await linesOf(await richSession());
      const mixed = await send([...damaged(), ...good].join('\n'));
      expect(mixed.status).toBe(201);
      expect(mixed.body.imported).toHaveLength(1);
      expect(mixed.body.skipped).toMatchObject([{ reason: expect.stringMatching(reason) }]);
    });

    it('bytes that are no UTF-8', async () => {
      const response = await fetch(`${other.url}/api/v1/sessions/import`, {
        method: 'POST',
        headers: { 'content-type': NDJSON },
        body: new Uint8Array([0x7b, 0xff, 0x7d]),
      });
      expect(response.status).toBe(422);
      expect(await response.text()).toContain('line 1: is not UTF-8');
    });
  });

  it.each(['', '\n\n \n'])('refuses a body without a session: %j', async (body) => {
    expectError(await send(body), 422, 'validation_error');
  });

  it.each([
    ['without a type', {}],
    ['of JSON', { 'content-type': 'application/json' }],
    ['of lines', { 'content-type': NDJSON }],
  ])('refuses a request without a body: %s', async (_what, headers) => {
    expectError(await other.post('/sessions/import', undefined, headers), 422, 'validation_error');
  });

  it.each([
    {},
    [],
    'text',
    null,
    { metadata: {} },
    { metadata: { model: 'a' }, messages: [{ role: 'robot' }] },
  ])('refuses a file that is none of the original: %j', async (body) => {
    expectError(await sendJson(JSON.stringify(body)), 422, 'validation_error');
  });

  it('takes lines nowhere else, and nothing else here', async () => {
    const id = await server.createSession();
    const asLines = { 'content-type': NDJSON };
    for (const path of ['/sessions', `/chat/${id}`]) {
      expectError(await server.post(path, '{}', asLines), 415, 'unsupported_media_type');
    }
    expectError(
      await other.post('/sessions/import', 'x', { 'content-type': 'text/plain' }),
      415,
      'unsupported_media_type',
    );
  });

  it('refuses a body over the limit', async () => {
    const { config } = other;
    await other.restart({ maxBodyBytes: 1000 });
    expectError(await send('x'.repeat(1001)), 413, 'payload_too_large');
    await other.restart({ maxBodyBytes: config.maxBodyBytes });
  });
});
