// What the fuzzing found, one test each.
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mute, text, tokens } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { readStore } from '../support/read-store.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { FUZZ_TIMEOUT_MS } from './fuzz-runs.ts';
import { exchange } from './wire.ts';
import { openWorld, type World } from './world.ts';

const HEAD = 'host: localhost\r\ncontent-type: application/json\r\n';

describe('found by fuzzing', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  const post = async (path: string, body: string) =>
    world.attempt({
      method: 'POST',
      target: `/api/v1${path}`,
      headers: [['content-type', 'application/json']],
      body: Buffer.from(body),
    });

  it.each(['%00', '../../package.json', '%2e%2e%5cpackage.json', '/etc/passwd', 'a'.repeat(5000)])(
    'a file of the docs page that cannot be: %s',
    async (name) => {
      const { status } = await world.attempt({ method: 'GET', target: `/docs/static/${name}` });
      expect(status).toBe(404);
    },
  );

  it('an address that cannot be decoded has a request id as well', async () => {
    const { status } = await world.attempt({ method: 'GET', target: '/api/v1/sessions/%zz' });
    expect(status).toBe(404);
  });

  it.each(['AAAAA', 'A===', 'aGVsbG8', 'QUJD=', 'AA==AA=='])(
    'an image that is no base64: %s',
    async (image) => {
      const sessionId = await world.server.createSession({ model: 'llava:7b' });
      const { status } = await post(
        `/chat/${sessionId}`,
        JSON.stringify({ message: 'What is it?', images: [image] }),
      );
      expect(status).toBe(422);
      // Stored, it would spoil every later turn.
      expect((await world.server.chat(sessionId, { message: 'Hello' })).status).toBe(200);
    },
  );

  it.each(['1e999', '-1e999', '9'.repeat(400)])(
    'a number that would come back as null: %s',
    async (number) => {
      const { status } = await post('/sessions', `{"model":"llama3.2","metadata":{"x":${number}}}`);
      expect(status).toBe(422);
    },
  );

  it.each(['', '/stream'])('an old question that does not fit: /chat%s', async (route) => {
    const { session_id: sessionId } = await world.place();
    const { status } = await post(`/chat/${sessionId}${route}`, '{"message":null,"options":{"num_ctx":4}}');
    expect(status).toBe(400);
  });

  it('names and ids in errors are excerpts', async () => {
    const { session_id: sessionId } = await world.place();
    const long = 'k'.repeat(100_000);
    const options = await post(
      `/chat/${sessionId}`,
      JSON.stringify({ message: 'x', options: { [long]: null } }),
    );
    const fork = await post(`/sessions/${sessionId}/fork`, JSON.stringify({ message_id: long }));
    expect([options.status, fork.status]).toEqual([422, 404]);
  });

  it('a format that the compiler trips over is told in our words', async () => {
    const { session_id: sessionId } = await world.place();
    const { status } = await post(`/chat/${sessionId}`, '{"message":"x","format":{"$id":{},"$ref":"x"}}');
    expect(status).toBe(422);
  });

  it('settings of megabytes are refused', async () => {
    const policies = Array.from({ length: 100_000 }, (_, index) => [`tool ${index}`, 'never_confirm']);
    const settings = { tools: [], tool_policies: Object.fromEntries(policies) };
    const { status } = await post(
      '/sessions',
      JSON.stringify({ model: 'llama3.2', tool_settings: settings }),
    );
    expect(status).toBe(422);
  });

  it('HEAD of a stream does not wait for the end of the turn', async () => {
    const { server } = world;
    server.ollama.reply(mute());
    const sessionId = await server.createSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
    const turnId = stream.headers.get('x-turn-id');
    try {
      const answer = await world.attempt({ method: 'HEAD', target: `/api/v1/turns/${turnId}/stream` });
      expect([200, 405]).toContain(answer.status);
    } finally {
      await server.post(`/turns/${turnId}/cancel?wait=true`);
    }
  });

  it('a request with two faults is answered once', async () => {
    const answers = await exchange(
      world.server.url,
      `GET /livez HTTP/1.1\r\n${HEAD}expect: x\r\ntransfer-encoding: chunked\r\n\r\n{"broken":"chunk"}`,
    );
    expect(answers.map(({ status }) => status)).toEqual([400]);
  });

  it('a fork from null is what its description does not allow', async () => {
    const { session_id: sessionId } = await world.place();
    expect((await post(`/sessions/${sessionId}/fork`, 'null')).status).toBe(422);
  });

  it.each([
    ['DELETE', '/sessions/none'],
    ['DELETE', '/sessions/none/system-prompt'],
    ['POST', '/chat/none/cancel'],
    ['POST', '/turns/none/cancel'],
  ])('%s %s with a body that nobody asked for is described', async (method, path) => {
    for (const type of ['application/json', 'text/plain']) {
      const target = `/api/v1${path}`;
      await world.attempt({ method, target, headers: [['content-type', type]], body: Buffer.from('{') });
    }
  });

  it('what follows a request on its connection does not end up in its stream', async () => {
    world.server.ollama.reply(script(tokens(30), everyMs(5)));
    const sessionId = await world.server.createSession();
    const received = await streamThenSend(world.server.url, sessionId, 'garbage\r\n\r\n');
    expect(received).not.toContain('HTTP/1.1 400');
  });

  it('a request that was carried out is not answered as malformed because of what follows it', async () => {
    const body = '{"model":"llama3.2","title":"Carried out"}';
    const bytes = `POST /api/v1/sessions HTTP/1.1\r\n${HEAD}content-length: ${body.length}\r\n\r\n${body}garbage\r\n\r\n`;
    const [answer] = await exchange(world.server.url, bytes);
    const { sessions } = (await world.server.get('/sessions')).body;
    const isStored = sessions.some(({ title }: { title: string }) => title === 'Carried out');
    expect(answer?.status).toBe(isStored ? 201 : 400);
  });

  it('line separators of Unicode cut no frame, however a reader splits lines', async () => {
    const content = 'a\u0085b\u2028c\u2029d';
    world.server.ollama.reply(text(content));
    const sessionId = await world.server.createSession();
    const { body } = await post(`/chat/${sessionId}/stream`, JSON.stringify({ message: content }));
    // As str.splitlines() of Python reads them, which clients of the original use.
    const lines = body.toString('utf8').split(/\r\n|[\n\r\u0085\u2028\u2029]/);
    const data = lines.filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)));
    expect(data.find((payload) => payload.content !== undefined)).toMatchObject({ content });
    expect((await readStore(world.server.dataDir, sessionId)).messages[1]?.content).toBe(content);
  });
});

it('a format whose references fan out does not stop the server', { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const ollama = await startFakeOllama();
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-fuzz-'));
  const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
  try {
    ollama.setDefault(text('{"a":1}'));
    const sessionId = await server.createSession();
    // 2^30 ways to look at one value.
    const $defs: Record<string, object> = { d0: { type: 'string' } };
    for (let level = 1; level <= 30; level += 1) {
      const below = { $ref: `#/$defs/d${level - 1}` };
      $defs[`d${level}`] = { anyOf: [below, below] };
    }
    const answer = fetch(`${server.url}/api/v1/chat/${sessionId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'x', format: { $ref: '#/$defs/d30', $defs } }),
      signal: AbortSignal.timeout(20_000),
    });
    expect([422, 502]).toContain((await answer).status);
    expect((await server.get('/livez')).status).toBe(200);
  } finally {
    await server.kill('SIGKILL');
    await ollama.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** Everything that came back on the connection, the text being sent after the first token. */
function streamThenSend(url: string, sessionId: string, more: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname);
  const body = '{"message":"Hello"}';
  const received: Buffer[] = [];
  let isSent = false;
  socket.on('data', (part) => {
    received.push(part);
    if (isSent || !part.includes('content_delta')) return;
    isSent = true;
    socket.write(more);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(Buffer.concat(received).toString('utf8')));
  socket.write(
    `POST /api/v1/chat/${sessionId}/stream HTTP/1.1\r\n${HEAD}content-length: ${body.length}\r\n\r\n${body}`,
  );
  return promise;
}
