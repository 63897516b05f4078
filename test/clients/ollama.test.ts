// The official client of Ollama, pointed at this server by its address and nothing else.
import { type ChatResponse, type Message, Ollama, type Tool } from 'ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { httpError, text, thinking, tokens, toolCalls } from '../fake-ollama/chat-script.ts';
import { errorAfter, everyMs, firstTokenMs, script } from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
let client: Ollama;
beforeAll(async () => {
  server = await startTestServer();
  client = new Ollama({ host: server.url });
  server.ollama.models.push({ name: 'coder:latest', capabilities: ['completion', 'insert'] });
});
beforeEach(() => {
  server.ollama.requests.length = 0;
});
afterAll(() => server.close());

const MODEL = 'llama3.2';
const messages: Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'What is the capital of France?' },
];
const IMAGE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const weather: Tool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

async function collect(lines: AsyncIterable<ChatResponse>): Promise<ChatResponse[]> {
  const all: ChatResponse[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const contentOf = (lines: readonly ChatResponse[]) => lines.map(({ message }) => message.content).join('');
/** What Ollama was asked for last. */
const asked = () => server.ollama.requestsTo('/api/chat').at(-1)?.body;

describe('chat', () => {
  it('is answered in lines, with what it took', async () => {
    server.ollama.reply(text('Par', 'is.'));
    const lines = await collect(await client.chat({ model: MODEL, messages, stream: true }));
    expect(contentOf(lines)).toBe('Paris.');
    expect(lines.at(-1)).toMatchObject({ model: MODEL, done: true, done_reason: 'stop', eval_count: 2 });
    for (const key of ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration'] as const) {
      expect([key, typeof lines.at(-1)?.[key]]).toEqual([key, 'number']);
    }
    expect(lines.slice(0, -1).map(({ done }) => done)).toEqual(lines.slice(0, -1).map(() => false));
    expect(asked()?.messages).toEqual(messages);
    // Nothing of it is kept.
    expect((await server.get('/sessions?unlisted=true')).body.sessions).toEqual([]);
  });

  it('is answered whole', async () => {
    server.ollama.reply(text('Paris.'));
    const answer = await client.chat({ model: MODEL, messages });
    expect(answer.message).toEqual({ role: 'assistant', content: 'Paris.' });
    expect(answer).toMatchObject({ done: true, done_reason: 'stop', prompt_eval_count: expect.any(Number) });
  });

  it('has the room that the client wants at least, in the window that is loaded', async () => {
    server.ollama.reply(text('a'), text('b'), text('c'));
    await client.chat({ model: MODEL, messages, options: { num_ctx: 20_000, temperature: 0.5 } });
    expect(asked()?.options).toMatchObject({ num_ctx: 20_000, temperature: 0.5 });
    // Another client wants less: nothing is loaded anew for it.
    await client.chat({ model: MODEL, messages, options: { num_ctx: 2048 }, keep_alive: '30m' });
    expect(asked()).toMatchObject({ options: { num_ctx: 20_000 }, keep_alive: '30m' });
    await client.chat({ model: MODEL, messages });
    expect(asked()?.options).toMatchObject({ num_ctx: 20_000 });
    expect(server.ollama.reloads['llama3.2:latest'] ?? 0).toBeLessThanOrEqual(1);
  });

  it('tells thoughts where the model can think, whether asked to or not, and none where it is not to', async () => {
    server.ollama.reply(thinking(['Hm', '.'], ['Paris.']), thinking([], ['Paris.']));
    const thought = await client.chat({ model: 'qwen3:14b', messages });
    expect(thought.message).toMatchObject({ content: 'Paris.', thinking: 'Hm.' });
    expect(asked()?.think).toBe(true);
    const plain = await client.chat({ model: 'qwen3:14b', messages, think: false });
    expect([plain.message.thinking, asked()?.think]).toEqual([undefined, false]);
  });

  it('leaves tools to the client, and takes their results without ids and names', async () => {
    const calls = [
      { name: 'get_weather', args: { city: 'Paris' } },
      { name: 'get_weather', args: { city: 'Rome' } },
    ];
    server.ollama.reply(toolCalls(calls), text('11 and 17 degrees.'));
    const request = { model: MODEL, messages, tools: [weather] };
    const lines = await collect(await client.chat({ ...request, stream: true }));
    const told = lines.filter(({ message }) => message.tool_calls !== undefined);
    // All in one line: some clients make one call of those of several lines.
    expect(told).toHaveLength(1);
    const made = told[0]?.message.tool_calls ?? [];
    expect(made.map(({ function: called }) => [called.name, called.arguments])).toEqual([
      ['get_weather', { city: 'Paris' }],
      ['get_weather', { city: 'Rome' }],
    ]);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'stop' });
    const results = ['11 degrees', '17 degrees'].map((content) => ({ role: 'tool', content }));
    const next = [...messages, { role: 'assistant', content: '', tool_calls: made }, ...results];
    const answer = await client.chat({ ...request, messages: next });
    expect(answer.message.content).toBe('11 and 17 degrees.');
    expect(asked()?.messages?.slice(-2)).toEqual([
      expect.objectContaining({ role: 'tool', content: '11 degrees', tool_name: 'get_weather' }),
      expect.objectContaining({ role: 'tool', content: '17 degrees', tool_name: 'get_weather' }),
    ]);
  });

  it('takes calls back by ids of the client, also in a session', async () => {
    const request = (...said: Message[]) =>
      new Ollama({ host: server.url, headers: { 'x-mochi-session': 'app:own-ids' } }).chat({
        model: MODEL,
        messages: [{ role: 'user', content: 'The weather?' }, ...said],
        tools: [weather],
      });
    const call = (city: string) => ({ name: 'get_weather', args: { city } });
    server.ollama.reply(toolCalls([call('Rome'), call('Bern')]), text('Sunny.'));
    const { message } = await request();
    const own = message.tool_calls?.map((called, index) => ({ ...called, id: `own-${index}` })) ?? [];
    const result = { role: 'tool', tool_name: 'get_weather' };
    await request(
      { ...message, tool_calls: own },
      { ...result, content: 'sun' },
      { ...result, content: 'rain' },
    );
    expect((asked() as { messages: Message[] }).messages.map(({ content }) => content)).toEqual([
      'The weather?',
      '',
      'sun',
      'rain',
    ]);
  });

  it('writes JSON in a schema, and sees images', async () => {
    const format = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    server.ollama.reply(text('{"city": "Paris"}'), text('A dot.'));
    const { message } = await client.chat({ model: MODEL, messages, format });
    expect([JSON.parse(message.content), asked()?.format]).toEqual([{ city: 'Paris' }, format]);
    await client.chat({
      model: 'llava:7b',
      messages: [{ role: 'user', content: 'What is it?', images: [IMAGE] }],
    });
    expect(asked()?.messages?.at(-1)?.images).toEqual([IMAGE]);
  });

  it('leaves the oldest exchanges out where not all fit, or refuses where it is told to', async () => {
    const long = Array.from({ length: 8 }, (_, at): Message[] => [
      { role: 'user', content: `Question ${at}: ${'word '.repeat(400)}` },
      { role: 'assistant', content: 'I see.' },
    ]).flat();
    const request = { model: 'tiny', messages: [...long, { role: 'user', content: 'And now?' }] };
    server.ollama.reply(text('Well.'));
    expect((await client.chat(request)).message.content).toBe('Well.');
    const sent = asked()?.messages ?? [];
    expect(sent.at(-1)?.content).toBe('And now?');
    expect([sent[0]?.role, sent.length < long.length]).toEqual(['user', true]);
    const refused = client.chat({ ...request, truncate: false } as typeof request);
    await expect(refused).rejects.toMatchObject({ status_code: 400 });
  });
});

describe('what goes wrong', () => {
  it('before the first word has its status and its words', async () => {
    await expect(client.chat({ model: 'nope', messages, stream: true })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'nope' not found",
    });
    await expect(client.chat({ model: 'tiny', messages, tools: [weather] })).rejects.toMatchObject({
      status_code: 400,
      error: expect.stringContaining('tools'),
    });
    server.ollama.reply(httpError(503, 'server busy, please try again.'));
    await expect(client.chat({ model: MODEL, messages })).rejects.toMatchObject({ status_code: 503 });
    const image = { role: 'user', content: 'Look', images: ['https://example.com/a.png'] };
    await expect(client.chat({ model: 'llava:7b', messages: [image] })).rejects.toMatchObject({
      status_code: 400,
    });
  });

  it('in the middle is told as it is, and the stream ends', async () => {
    server.ollama.reply(script(text('Par', 'is'), errorAfter(1, 'llama runner: out of luck')));
    const lines: ChatResponse[] = [];
    const read = async () => {
      for await (const line of await client.chat({ model: MODEL, messages, stream: true })) lines.push(line);
    };
    await expect(read()).rejects.toThrow('out of luck');
    expect(contentOf(lines)).toBe('Par');
  });

  it('is the end of the work for a client that leaves', async () => {
    server.ollama.reply(script(tokens(1000), everyMs(20)));
    const stream = await client.chat({ model: MODEL, messages, stream: true });
    for await (const _line of stream) {
      stream.abort();
      break;
    }
    await server.ollama.waitForAbort(({ path }) => path === '/api/chat');
    server.ollama.reply(script(text('late'), firstTokenMs(60_000)));
    const left = new AbortController();
    const plain = fetch(`${server.url}/api/chat`, {
      method: 'POST',
      body: JSON.stringify({ model: MODEL, messages, stream: false }),
      signal: left.signal,
    });
    await server.ollama.waitForRequest('/api/chat', ({ aborted }) => !aborted);
    left.abort();
    await expect(plain).rejects.toThrow();
    await server.ollama.waitForAbort(({ startedAt, path }) => path === '/api/chat' && startedAt > 0);
  });

  it('can be stopped by the id of the turn', async () => {
    server.ollama.reply(script(tokens(1000), everyMs(20)));
    const stream = await fetch(`${server.url}/api/chat`, {
      method: 'POST',
      body: JSON.stringify({ model: MODEL, messages }),
    });
    const turnId = stream.headers.get('x-turn-id') ?? '';
    expect(stream.headers.get('x-mochi-session')).toBeNull();
    expect(JSON.parse(stream.headers.get('x-mochi-context') ?? '')).toMatchObject({ messages_sent: 2 });
    expect((await server.get(`/turns/${turnId}`)).body).toMatchObject({ session_id: '', state: 'running' });
    const { status, body } = await server.post(`/turns/${turnId}/cancel?wait=true`, {});
    expect([status, body.state]).toEqual([200, 'cancelled']);
    const lines = (await stream.text()).trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ error: expect.stringContaining('cancelled') });
    expect((await server.get(`/turns/${turnId}`)).status).toBe(404);
  });
});

describe('generate', () => {
  it('answers a prompt with a system text and images', async () => {
    server.ollama.reply(text('Par', 'is.'));
    const answer = await client.generate({ model: MODEL, prompt: 'Capital of France?', system: 'Be brief.' });
    expect(answer).toMatchObject({ response: 'Paris.', done: true, done_reason: 'stop' });
    expect(asked()?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Capital of France?' },
    ]);
  });

  it('completes a text as it is, in the window that the model has', async () => {
    server.ollama.reply(text('a'), text('return a', ' + b;'));
    await client.chat({ model: 'coder', messages, options: { num_ctx: 4096 } });
    const loaded = asked()?.options?.['num_ctx'];
    const pieces: string[] = [];
    const request = { model: 'coder', prompt: 'function add(a, b) { ', suffix: ' }', raw: true };
    for await (const { response } of await client.generate({
      ...request,
      stream: true,
      options: { num_ctx: 2048, stop: ['\n'] },
    })) {
      pieces.push(response ?? '');
    }
    expect(pieces.join('')).toBe('return a + b;');
    const sent = server.ollama.requestsTo('/api/generate').at(-1)?.body;
    expect(sent).toMatchObject({ ...request, think: false, options: { num_ctx: loaded, stop: ['\n'] } });
    expect(sent).not.toHaveProperty('messages');
    await expect(client.generate({ ...request, model: MODEL })).rejects.toThrow('does not support insert');
  });

  it('loads a model in the window of this server, and unloads it', async () => {
    const load = await client.generate({ model: MODEL, prompt: '' });
    expect(load).toMatchObject({ response: '', done: true, done_reason: 'load' });
    expect((await client.ps()).models.map(({ name }) => name)).toContain('llama3.2:latest');
    const empty = { model: MODEL, messages: [], keep_alive: 0 };
    expect(await client.chat(empty)).toMatchObject({ done: true, done_reason: 'unload' });
    const loaded = async () => (await client.ps()).models.map(({ name }) => name);
    // Requests under way are answered first.
    await expect.poll(loaded).not.toContain('llama3.2:latest');
    await expect(client.generate({ model: 'nope', prompt: '' })).rejects.toMatchObject({ status_code: 404 });
  });
});

describe('models', () => {
  it("are Ollama's own words", async () => {
    const direct = new Ollama({ host: server.ollama.url });
    expect(await client.list()).toEqual(await direct.list());
    expect(await client.show({ model: MODEL })).toEqual(await direct.show({ model: MODEL }));
    expect(await client.version()).toEqual(await direct.version());
    await expect(client.show({ model: 'nope' })).rejects.toMatchObject({ status_code: 404 });
    const { status, headers } = await fetch(`${server.url}/api/tags`, { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  });

  it('are fetched, copied, made from others, and deleted', async () => {
    const steps: string[] = [];
    for await (const { status, digest } of await client.pull({ model: 'new-one', stream: true })) {
      steps.push(digest === undefined ? status : 'a part');
    }
    expect([steps.includes('a part'), steps.at(-1)]).toEqual([true, 'success']);
    expect(await client.pull({ model: 'new-one' })).toMatchObject({ status: 'success' });
    await client.copy({ source: 'new-one', destination: 'other-name' });
    const made = await client.create({ model: 'pirate', from: 'new-one', system: 'Arr.', stream: true });
    const statuses: string[] = [];
    for await (const { status } of made) statuses.push(status);
    expect(statuses.at(-1)).toBe('success');
    const names = (await client.list()).models.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['new-one:latest', 'other-name:latest', 'pirate:latest']));
    expect(await client.delete({ model: 'pirate' })).toEqual({ status: 'success' });
    await expect(client.delete({ model: 'pirate' })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'pirate' not found",
    });
    await expect(client.pull({ model: 'missing' })).rejects.toThrow('no model of this name');
  });

  it('are sent in parts', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const url = `${server.url}/api/blobs/${digest}`;
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(404);
    // Larger than any other body may be.
    const body = Buffer.alloc(11 * 1024 * 1024, 'x');
    expect((await fetch(url, { method: 'POST', body })).status).toBe(201);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    const answer = await fetch(`${server.url}/api/blobs/..%2f..%2fetc`, { method: 'POST', body: 'x' });
    expect(answer.status).toBe(400);
  });

  it('make vectors', async () => {
    const model = 'nomic-embed-text';
    const { embeddings } = await client.embed({ model, input: ['one', 'two'] });
    expect(embeddings.map((vector) => vector.length)).toEqual([8, 8]);
    expect((await client.embed({ model, input: 'one', dimensions: 4 })).embeddings[0]).toHaveLength(4);
    expect((await client.embeddings({ model, prompt: 'one' })).embedding).toEqual(embeddings[0]);
    await expect(client.embed({ model: MODEL, input: 'one' })).rejects.toMatchObject({ status_code: 400 });
    await expect(client.embed({ model: 'nope', input: 'one' })).rejects.toMatchObject({ status_code: 404 });
  });
});

describe('the address', () => {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { method: 'POST', body, headers });

  it('is one of an Ollama', async () => {
    const answer = await fetch(`${server.url}/`);
    expect([answer.status, await answer.text()]).toEqual([200, 'Ollama is running']);
    expect((await fetch(`${server.url}/`, { method: 'HEAD' })).status).toBe(200);
  });

  it('takes JSON whatever it is called, and fields that nobody knows', async () => {
    const body = JSON.stringify({ model: MODEL, messages, stream: false, unknown: 1, think: null });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      server.ollama.reply(text('Yes.'));
      const answer = await post('/api/chat', body, type === '' ? {} : { 'content-type': type });
      expect([type, answer.status, await answer.json()]).toEqual([
        type,
        200,
        expect.objectContaining({ message: { role: 'assistant', content: 'Yes.' } }),
      ]);
    }
  });

  it.each([
    ['no JSON', '/api/chat', '{"model"', 400],
    ['nothing', '/api/chat', '', 400],
    ['a list', '/api/chat', '[]', 400],
    ['no model', '/api/chat', '{"messages":[]}', 400],
    ['a wrong type', '/api/chat', '{"model":"llama3.2","messages":"hello"}', 400],
    ['a role that is none', '/api/chat', '{"model":"llama3.2","messages":[{"role":"boss"}]}', 400],
    ['no name', '/api/show', '{}', 400],
    ['nothing to copy', '/api/copy', '{}', 400],
    ['no name for a copy', '/api/copy', '{"source":"llama3.2","destination":""}', 400],
    ['no name to make', '/api/create', '{}', 400],
    ['too much', '/api/chat', `{"model":"${'x'.repeat(11 * 1024 * 1024)}"}`, 413],
  ])('says what is wrong with %s in its own shape', async (_what, path, body, status) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/\S/) });
  });

  it('has no other paths, and says so as Ollama does', async () => {
    for (const path of ['/api/push', '/api/me', '/api/experimental/x', '/api', '/s/auto/api/nothing']) {
      const answer = await post(path, '{}');
      expect([path, answer.status, await answer.text()]).toEqual([path, 404, '404 page not found']);
    }
    const answer = await fetch(`${server.url}/api/chat`);
    expect([answer.status, await answer.text()]).toEqual([405, '405 method not allowed']);
    // Our own API keeps its own words.
    expect(await (await post('/api/v1/nothing', '{}')).json()).toMatchObject({
      detail: { error: { code: 'not_found' } },
    });
  });
});
