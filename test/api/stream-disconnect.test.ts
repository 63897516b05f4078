// Clients that leave: the engine stops at once, what came until then is kept, and the session goes on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text, thinking, tokens } from '../fake-ollama/chat-script.ts';
import { everyMs, hangAfter, pauseAfter, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const asks = (message: string) => (request: { rawBody: string }) => request.rawBody.includes(message);

describe('a client that leaves', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const told = async (sessionId: string) =>
    (await server.messages(sessionId)).map(({ role, content, status }) => `${role} ${status}: ${content}`);

  it('mid-stream: the engine is left, and the part is stored', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Half', ' an', ' answer'), hangAfter(2)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Leave amid?' });
    let said = '';
    for await (const { event, data } of stream.events) {
      if (event === 'content_delta') said += data.content;
      if (said === 'Half an') break;
    }
    stream.abort();
    await server.ollama.waitForAbort(asks('Leave amid?'));
    // Waits in line for the end of the turn that was left.
    const { body } = await server.chat(sessionId, { message: 'Are you there?' });
    expect(body.message.content).toBe('The capital of France is Paris.');
    expect((await told(sessionId)).slice(0, 3)).toEqual([
      'user complete: Leave amid?',
      'assistant partial: Half an',
      'user complete: Are you there?',
    ]);
    const turn = (await server.get(`/turns/${stream.headers.get('x-turn-id')}`)).body;
    expect(turn).toMatchObject({ state: 'cancelled', error: { code: 'turn_cancelled' } });
  });

  it('before the engine has sent anything', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(mute());
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Leave early?' });
    await stream.events.next();
    await server.ollama.waitForRequest('/api/chat', asks('Leave early?'));
    stream.abort();
    await server.ollama.waitForAbort(asks('Leave early?'));
    await server.chat(sessionId, { message: null });
    expect(await told(sessionId)).toEqual([
      'user complete: Leave early?',
      'assistant complete: The capital of France is Paris.',
    ]);
  });

  it('while the model thinks', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    server.ollama.reply(script(thinking(['Hm', ' hm'], ['Yes']), hangAfter(1)));
    const body = { message: 'Leave the thinker?', think: true };
    const stream = await server.stream(`/chat/${sessionId}/stream`, body);
    for await (const { event } of stream.events) if (event === 'thinking_delta') break;
    stream.abort();
    await server.ollama.waitForAbort(asks('Leave the thinker?'));
    await server.chat(sessionId, { message: null });
    const { messages } = (await server.get(`/sessions/${sessionId}/tree`)).body;
    expect(messages[1]).toMatchObject({ content: '', thinking: 'Hm', status: 'partial', active: false });
  });

  it('in the flood of a fast model', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(tokens(2000), everyMs(1)));
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Leave the flood?' });
    let seen = '';
    for await (const { event, data } of stream.events) {
      if (event === 'content_delta') seen += data.content;
      if (seen.includes('t9 ')) break;
    }
    stream.abort();
    await server.ollama.waitForAbort(asks('Leave the flood?'));
    await server.chat(sessionId, { message: null, mode: 'continue' });
    const [, part] = await server.messages(sessionId);
    expect(part.status).toBe('partial');
    // What the client saw is stored, and nothing that the model did not say.
    expect(part.content.startsWith(seen)).toBe(true);
    expect(
      tokens(2000)
        .steps.map((step) => ('message' in step ? step.message.content : ''))
        .join(''),
    ).toContain(part.content);
  });

  it('on the plain route: the answer is stored whole', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('A whole', ' answer.'), pauseAfter(1, 300)));
    const leave = new AbortController();
    const request = fetch(`${server.url}/api/v1/chat/${sessionId}`, {
      method: 'POST',
      signal: leave.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Leave the plain one?' }),
    });
    const asked = await server.ollama.waitForRequest('/api/chat', asks('Leave the plain one?'));
    leave.abort();
    await expect(request).rejects.toThrow('aborted');
    await server.chat(sessionId, { message: 'Next?' });
    expect((await told(sessionId)).slice(0, 3)).toEqual([
      'user complete: Leave the plain one?',
      'assistant complete: A whole answer.',
      'user complete: Next?',
    ]);
    expect(asked.aborted).toBe(false);
  });

  it('while waiting in line: its message is kept unanswered, and the turn ahead goes on', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('First', ' answer.'), hangAfter(1)));
    const first = await server.stream(`/chat/${sessionId}/stream`, { message: 'First?' });
    await first.events.next();
    const second = await server.stream(`/chat/${sessionId}/stream`, { message: 'Second, leaving?' });
    await second.events.next();
    second.abort();
    const [ahead, left] = [first, second].map(({ headers }) => headers.get('x-turn-id'));
    // Cancelling is idempotent: it only waits for the end here.
    const ended = await server.post(`/turns/${left}/cancel?wait=true`);
    expect(ended.body).toMatchObject({ turn_id: left, state: 'cancelled' });
    expect((await server.get(`/turns/${ahead}`)).body.state).toBe('running');
    first.abort();
    await server.chat(sessionId, { message: 'Third?' });
    expect((await told(sessionId)).filter((line) => line.startsWith('user'))).toEqual([
      'user complete: First?',
      'user complete: Second, leaving?',
      'user complete: Third?',
    ]);
    const answered = server.ollama.requestsTo('/api/chat').map(({ body }) => body?.messages?.at(-1)?.content);
    expect(answered).not.toContain('Second, leaving?');
  });

  it('again and again: no connection to the engine and no turn is left behind', async () => {
    const sessionId = await server.createSession();
    server.ollama.setDefault(script(text('Never', ' ending'), hangAfter(1)));
    try {
      for (let round = 0; round < 25; round += 1) {
        const stream = await server.stream(`/chat/${sessionId}/stream`, { message: `Round ${round}?` });
        for await (const { event } of stream.events) if (event === 'content_delta') break;
        stream.abort();
        await server.ollama.waitForAbort(asks(`Round ${round}?"}]`));
      }
    } finally {
      server.ollama.setDefault(null);
    }
    await server.chat(sessionId, { message: 'Enough.' });
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull();
    expect(await server.messages(sessionId)).toHaveLength(52);
    expect(server.ollama.openSockets).toBeLessThan(10);
  });
});

describe('a client that leaves before the first byte', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { engineInfoTimeoutSeconds: 1 } });
  });
  afterAll(() => server.close());

  it('while the server still asks for the model: its turn does not run on', async () => {
    const sessionId = await server.createSession();
    await server.restart();
    server.ollama.requests.length = 0;
    server.ollama.fault('/api/tags', 'mute');
    server.ollama.setDefault((body) =>
      body.messages?.at(-1)?.content === 'Leave at once?' ? mute() : text('Still here.'),
    );
    const leave = new AbortController();
    const request = fetch(`${server.url}/api/v1/chat/${sessionId}/stream`, {
      method: 'POST',
      signal: leave.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Leave at once?' }),
    });
    await server.ollama.waitForRequest('/api/tags');
    leave.abort();
    await expect(request).rejects.toThrow('aborted');
    // Whether its turn never began or was cancelled: nobody waits behind it.
    const { body } = await server.chat(sessionId, { message: 'Next?' });
    expect(body.message.content).toBe('Still here.');
  });
});
