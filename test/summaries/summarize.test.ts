// POST /sessions/{id}/summarize and GET /sessions/{id}/summary: what a client asks for itself.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpError, mute, text, thinking, tokens } from '../fake-ollama/chat-script.ts';
import type { RecordedRequest } from '../fake-ollama/request-log.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { isPhase, readUntil } from '../turns/watching.ts';
import { inTurn, isKind, json, kindOf, requestsOf, write } from './writer.ts';

const garbage = text('Sure! Here is a summary: it was nice.');

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => {
  server.ollama.setDefault(write());
  server.ollama.requests.length = 0;
});
afterAll(() => server.close());

async function talk(settings: Record<string, unknown> = {}, message = 'What is the capital of France?') {
  server.ollama.setDefault(write());
  const sessionId = await server.createSession(settings);
  await server.chat(sessionId, { message });
  return sessionId;
}

const codeOf = ({ status, body }: { status: number; body: any }) => [status, body.detail?.error.code];

describe('a summary that is asked for', () => {
  it('is answered, stored, and shown with the session', async () => {
    const sessionId = await talk();
    const { status, body } = await server.post(`/sessions/${sessionId}/summarize`);
    expect([status, body]).toEqual([
      200,
      { summary: 'Of 3 messages.', topics: ['France'], model_used: 'llama3.2:latest' },
    ]);
    expect((await server.get(`/sessions/${sessionId}/summary`)).body).toEqual(body);
    const { sessions } = (await server.get('/sessions')).body;
    expect(sessions.find((session: any) => session.session_id === sessionId).summary).toEqual({
      summary: 'Of 3 messages.',
      topics: ['France'],
    });
  });

  it('does not move updated_at', async () => {
    const sessionId = await talk();
    const before = (await server.get(`/sessions/${sessionId}`)).body;
    await server.post(`/sessions/${sessionId}/summarize`, { model: 'tiny' });
    const after = (await server.get(`/sessions/${sessionId}`)).body;
    expect(after).toEqual({ ...before, summary_model: 'tiny:latest' });
  });

  it('continues what the engine has read: the prompt of the chat, its answer, then the question', async () => {
    const sessionId = await talk({ system_prompt: 'Be brief.' });
    await server.post(`/sessions/${sessionId}/summarize`, {});
    const [chat, summary] = server.ollama.requestsTo('/api/chat').map(({ body }) => body);
    const { messages = [], ...rest } = summary ?? {};
    expect(messages.slice(0, -1)).toEqual([
      ...(chat?.messages ?? []),
      { role: 'assistant', content: 'The capital is Paris.' },
    ]);
    expect(messages.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('JSON') });
    expect(rest).toMatchObject({
      model: 'llama3.2:latest',
      think: false,
      truncate: false,
      options: { num_ctx: chat?.options?.['num_ctx'] },
      format: { type: 'object', required: ['summary', 'topics'] },
    });
    expect(server.ollama.reloads).toEqual({});
  });

  it('takes the earlier summary along, but not that of another branch', async () => {
    const sessionId = await talk();
    await server.post(`/sessions/${sessionId}/summarize`);
    await server.post(`/sessions/${sessionId}/summarize`);
    await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'And of Italy?' });
    await server.chat(sessionId, { message: null });
    await server.post(`/sessions/${sessionId}/summarize`);
    const asked = requestsOf(server.ollama, 'summary').map(({ body }) => body?.messages?.at(-1)?.content);
    expect(asked.map((text) => text?.includes('Of 3 messages.'))).toEqual([false, true, false]);
  });

  it('uses a named model, and remembers it', async () => {
    const sessionId = await talk({ model: 'qwen3:14b' });
    const refused = await server.post(`/sessions/${sessionId}/summarize`, {});
    expect(codeOf(refused)).toEqual([400, 'no_summary_model']);
    const named = await server.post(`/sessions/${sessionId}/summarize`, { model: 'llama3.2' });
    expect(named.body.model_used).toBe('llama3.2:latest');
    expect((await server.get(`/sessions/${sessionId}`)).body.summary_model).toBe('llama3.2:latest');
    // From now on it stands in for the model of the chat, which cannot.
    const again = await server.post(`/sessions/${sessionId}/summarize`, { model: null });
    expect(again.body.model_used).toBe('llama3.2:latest');
  });

  it('of a model that cannot see leaves the images out', async () => {
    const sessionId = await server.createSession({ model: 'llava:7b' });
    await server.chat(sessionId, { message: 'What is this?', images: ['aGVsbG8='] });
    await server.post(`/sessions/${sessionId}/summarize`, { model: 'tiny' });
    const [request] = requestsOf(server.ollama, 'summary');
    expect(request?.rawBody).not.toContain('aGVsbG8=');
    expect(request?.body?.messages).toHaveLength(3);
  });

  it('of a session without any is null', async () => {
    const sessionId = await server.createSession();
    expect((await server.get(`/sessions/${sessionId}/summary`)).body).toEqual({ summary: null, topics: [] });
  });
});

describe('an answer of the model', () => {
  const good = json({ summary: ' Paris. ', topics: [' a ', '', 'a', 'b'] });

  it.each([
    ['in fences', text('```json\n{"summary":"Paris.","topics":["a","b"]}\n```')],
    ['after garbage', garbage],
    ['after half of it', text('{"summary":"Par')],
    ['after the wrong form', json({ summary: ['Paris.'], topics: [] })],
    ['after nothing', text()],
    ['after blanks', json({ summary: '  ', topics: [] })],
    ['after topics that are none', json({ summary: 'Paris.', topics: [1] })],
  ])('%s is good', async (_what, first) => {
    const sessionId = await talk();
    server.ollama.setDefault(write({ summary: inTurn(first, good) }));
    const { status, body } = await server.post(`/sessions/${sessionId}/summarize`);
    expect([status, body]).toEqual([
      200,
      { summary: 'Paris.', topics: ['a', 'b'], model_used: 'llama3.2:latest' },
    ]);
    expect(requestsOf(server.ollama, 'summary').length).toBeLessThanOrEqual(2);
  });

  it('that is garbage twice is 502, and the old summary stays', async () => {
    const sessionId = await talk();
    const { body: old } = await server.post(`/sessions/${sessionId}/summarize`);
    server.ollama.setDefault(write({ summary: inTurn(garbage) }));
    const failed = await server.post(`/sessions/${sessionId}/summarize`);
    expect(codeOf(failed)).toEqual([502, 'invalid_structured_output']);
    expect(requestsOf(server.ollama, 'summary')).toHaveLength(3);
    expect((await server.get(`/sessions/${sessionId}/summary`)).body).toEqual(old);
  });

  it('that thinks first although it was told not to is read all the same', async () => {
    const sessionId = await talk();
    const thoughtful = thinking(['Hm.'], ['{"summary":"Paris.",', '"topics":[]}']);
    server.ollama.setDefault(write({ summary: inTurn(thoughtful) }));
    expect((await server.post(`/sessions/${sessionId}/summarize`)).body.summary).toBe('Paris.');
  });
});

describe('no summary', () => {
  it.each(['nobody1234', 'x%20y', '%2e%2e%2fx'])('for %s, which is no session', async (id) => {
    expect(codeOf(await server.post(`/sessions/${id}/summarize`))).toEqual([404, 'session_not_found']);
    expect(codeOf(await server.get(`/sessions/${id}/summary`))).toEqual([404, 'session_not_found']);
  });

  it('of fewer than two messages', async () => {
    const sessionId = await server.createSession({ system_prompt: 'Be brief.' });
    expect(codeOf(await server.post(`/sessions/${sessionId}/summarize`))).toEqual([400, 'empty_history']);
  });

  it.each([
    ['a model that is not there', { model: 'gone' }, [400, 'model_not_found']],
    ['a model that cannot chat', { model: 'nomic-embed-text' }, [400, 'model_not_found']],
    ['a model without a name', { model: '' }, [422, 'validation_error']],
    ['a model that is a number', { model: 5 }, [422, 'validation_error']],
    ['a body that is a list', [], [422, 'validation_error']],
    ['a body that is no JSON', '{"model":', [422, 'validation_error']],
  ])('by %s', async (_what, body, expected) => {
    const sessionId = await talk();
    expect(codeOf(await server.post(`/sessions/${sessionId}/summarize`, body))).toEqual(expected);
    expect(requestsOf(server.ollama, 'summary')).toEqual([]);
  });

  it('by a session whose model was removed', async () => {
    const sessionId = await talk({ model: 'old' });
    const { models } = server.ollama;
    server.ollama.setModels(models.filter(({ name }) => name !== 'old:latest'));
    expect(codeOf(await server.post(`/sessions/${sessionId}/summarize`))).toEqual([400, 'model_not_found']);
    server.ollama.setModels(models);
  });

  it.each([
    ['an error', httpError(500, 'out of memory'), [502, 'ollama_error']],
    ['a full queue', httpError(503, 'busy'), [503, 'engine_busy']],
    ['an end in the middle', { steps: text('{"summary"').steps.slice(0, 1) }, [502, 'incomplete_response']],
  ])('from an engine with %s', async (_what, answer, expected) => {
    const sessionId = await talk();
    server.ollama.setDefault(write({ summary: () => answer }));
    expect(codeOf(await server.post(`/sessions/${sessionId}/summarize`))).toEqual(expected);
  });

  it('from an engine that is silent or gone', async () => {
    const sessionId = await talk();
    await server.restart({ firstTokenTimeoutSeconds: 0.3 });
    server.ollama.setDefault(write({ summary: mute }));
    const silent = await server.post(`/sessions/${sessionId}/summarize`);
    expect(codeOf(silent)).toEqual([504, 'engine_timeout']);
    await server.ollama.stop();
    const gone = await server.post(`/sessions/${sessionId}/summarize`);
    expect(codeOf(gone)).toEqual([502, 'ollama_unreachable']);
    await server.ollama.restart();
    await server.restart({ firstTokenTimeoutSeconds: 600 });
  });
});

describe('a long conversation', () => {
  it('is cut to what fits the window in use: whole exchanges, the newest first', async () => {
    const sessionId = await server.createSession({
      model: 'tiny',
      system_prompt: 'Be brief.',
      context_window: { manual_override: true, current_window: 2048 },
    });
    for (const number of [1, 2, 3, 4]) {
      await server.chat(sessionId, { message: `Question ${number}: ${'why '.repeat(500)}` });
    }
    await server.post(`/sessions/${sessionId}/summarize`);
    const [request] = requestsOf(server.ollama, 'summary');
    const { messages = [], options } = request?.body ?? {};
    expect(options?.['num_ctx']).toBe(2048);
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages[1]?.content).toMatch(/^Question 4/);
    expect(server.ollama.reloads).toEqual({});
  });

  it('has no longer an answer than a small window has room for', async () => {
    const sessionId = await server.createSession({
      model: 'old',
      context_window: { current_window: 1024, manual_override: true },
    });
    for (const number of [1, 2, 3]) {
      await server.chat(sessionId, { message: `Question ${number}: ${'why '.repeat(150)}` });
    }
    server.ollama.setDefault(tokens(3000));
    await server.post(`/sessions/${sessionId}/summarize`);
    server.ollama.setDefault(null);
    const asked = requestsOf(server.ollama, 'summary').map(({ body }) => body?.options);
    expect(asked.length).toBeGreaterThan(0);
    for (const options of asked) expect(options).toMatchObject({ num_ctx: 1024 });
    expect(server.ollama.shifts).toEqual({});
  });

  it('is read in the window with which the model is loaded, also after a restart', async () => {
    const sessionId = await server.createSession({ model: 'tiny' });
    await server.chat(sessionId, { message: 'Small?', options: { num_ctx: 2048 } });
    await server.restart();
    await server.post(`/sessions/${sessionId}/summarize`);
    const [request] = requestsOf(server.ollama, 'summary');
    expect(request?.body?.options?.['num_ctx']).toBe(2048);
    expect(server.ollama.reloads).toEqual({});
  });

  it('goes on from where the chat began to leave out, with the summary that stands for the rest', async () => {
    const sessionId = await server.createSession({ model: 'tiny' });
    const ask = (number: number) =>
      server.chat(sessionId, { message: `Question ${number}: ${'why '.repeat(800)}` });
    await ask(1);
    await server.post(`/sessions/${sessionId}/summarize`);
    for (const number of [2, 3, 4]) await ask(number);
    const reloads = { ...server.ollama.reloads };
    await server.post(`/sessions/${sessionId}/summarize`);
    const read = server.ollama.requestsTo('/api/chat').findLast(isKind('chat'))?.body?.messages ?? [];
    expect(read[0]).toMatchObject({ role: 'system', content: expect.stringContaining('Of 3 messages.') });
    const summary = requestsOf(server.ollama, 'summary').at(-1)?.body?.messages ?? [];
    expect(summary.slice(0, read.length)).toEqual(read);
    expect(server.ollama.reloads).toEqual(reloads);
  });

  it('with one exchange that is too long gives its beginnings', async () => {
    const sessionId = await talk({}, `Begin ${'why '.repeat(4000)} end`);
    await server.post(`/sessions/${sessionId}/summarize`, { model: 'tiny' });
    const [request] = requestsOf(server.ollama, 'summary');
    const messages = request?.body?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(messages[0]?.content).toMatch(/^Begin why/);
    expect(messages[0]?.content?.length).toBeLessThan(12_000);
  });

  it('that the engine finds too long is asked about again with half of it', async () => {
    const sessionId = await server.createSession();
    for (const number of [1, 2, 3, 4]) {
      await server.chat(sessionId, { message: `Question ${number}: ${'why '.repeat(1200)}` });
    }
    const overflow = httpError(400, 'request (9000 tokens) exceeds the available context size (8192 tokens)');
    const fine = json({ summary: 'Why.', topics: [] });
    server.ollama.setDefault(write({ summary: inTurn(overflow, fine) }));
    expect((await server.post(`/sessions/${sessionId}/summarize`)).body.summary).toBe('Why.');
    const [first, second] = requestsOf(server.ollama, 'summary').map(
      ({ body }) => body?.messages?.length ?? 0,
    );
    expect(second).toBeLessThan(first ?? 0);
    expect(second).toBeGreaterThan(1);
  });
});

describe('the line', () => {
  it('lets a summary wait for a slot like a turn, and refuses it when too many wait', async () => {
    await server.restart({ maxConcurrentTurns: 1, maxQueuedTurns: 1 });
    const sessionId = await talk();
    const [holderId, queuedId] = [await server.createSession(), await server.createSession()];
    const holding = script(text('Wait'), hangAfter(1));
    server.ollama.setDefault(write({ chat: inTurn(holding, text('Now.')) }));
    const holder = await server.stream(`/chat/${holderId}/stream`, { message: 'Hold' });
    const isHolder = ({ body }: RecordedRequest) => body?.messages?.at(-1)?.content === 'Hold';
    await server.ollama.waitForRequest('/api/chat', isHolder);

    const queued = await server.stream(`/chat/${queuedId}/stream`, { message: 'Later' });
    await readUntil(queued, isPhase('queued'));
    expect(codeOf(await server.post(`/sessions/${sessionId}/summarize`))).toEqual([503, 'overloaded']);
    queued.abort();
    await expect.poll(async () => (await server.get(`/sessions/${queuedId}`)).body.active_turn).toBeNull();

    const known = server.ollama.requestsTo('/api/tags').length;
    const waiting = server.post(`/sessions/${sessionId}/summarize`);
    // The last thing before it takes its place.
    await expect.poll(() => server.ollama.requestsTo('/api/tags').length).toBeGreaterThan(known);
    await server.get('/sessions');
    expect(requestsOf(server.ollama, 'summary')).toEqual([]);
    holder.abort();
    expect((await waiting).status).toBe(200);
    await server.restart({ maxConcurrentTurns: 64, maxQueuedTurns: 512 });
  });

  it('gives a summary up with its session', async () => {
    const sessionId = await talk();
    server.ollama.setDefault(write({ summary: mute }));
    const answer = server.post(`/sessions/${sessionId}/summarize`);
    await server.ollama.waitForRequest('/api/chat', isKind('summary'));
    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect(codeOf(await answer)).toEqual([409, 'turn_cancelled']);
    await server.ollama.waitForAbort(isKind('summary'));
  });

  it('ends with the server', async () => {
    const sessionId = await talk();
    server.ollama.setDefault(write({ summary: mute }));
    const answer = server.post(`/sessions/${sessionId}/summarize`);
    await server.ollama.waitForRequest('/api/chat', isKind('summary'));
    await server.restart();
    expect(codeOf(await answer)).toEqual([503, 'turn_interrupted']);
    expect((await server.get(`/sessions/${sessionId}/summary`)).body.summary).toBeNull();
  });

  it('does not make the turns of its session wait', async () => {
    const sessionId = await talk();
    server.ollama.setDefault(write({ summary: mute }));
    const answer = server.post(`/sessions/${sessionId}/summarize`).catch(() => null);
    await server.ollama.waitForRequest('/api/chat', isKind('summary'));
    await server.chat(sessionId, { message: 'And of Italy?' });
    expect(
      server.ollama
        .requestsTo('/api/chat')
        .map(({ body }) => kindOf(body))
        .at(-1),
    ).toBe('chat');
    await server.request('DELETE', `/sessions/${sessionId}`);
    expect((await answer)?.status).toBe(409);
  });
});
