// A name that means another model now: looked at anew after a refusal, told once in the receipt, never polled.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import type { FakeModel } from '../fake-ollama/fake-model.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const IMAGE = 'iVBORw0KGgo=';
const plain: FakeModel = { name: 'm:latest', capabilities: ['completion'], contextLength: 4096 };
const seeing: FakeModel = { ...plain, capabilities: ['completion', 'vision'], contextLength: 131_072 };

let server: TestServer;
let sessionId: string;
/** What is known by a digest stays known: each state of the name has one of its own. */
let digests: string[] = [];
beforeAll(async () => {
  // A load is long enough to be seen as one.
  server = await startTestServer({ ollama: { models: [plain], loadDelayMs: 150 } });
  server.ollama.setDefault(text('Fine.'));
});
beforeEach(async () => {
  await server.ollama.restart();
});
afterAll(() => server.close());

async function begin(model: FakeModel): Promise<void> {
  become(model);
  sessionId = await server.createSession({ model: 'm' });
}

function become(model: FakeModel): void {
  const digest = (digests.length + 1).toString(16).padStart(64, '0');
  digests = [...digests, digest];
  server.ollama.setModels([{ ...model, digest }]);
}

const lastChange = () => ({ from: digests.at(-2), to: digests.at(-1) });
const ask = (body: object = {}): Promise<any> =>
  server.post(`/chat/${sessionId}`, { message: 'Look', ...body });
const codeOf = ({ status, body }: any) => [status, body.detail?.error.code];

it('a model that can see images by now is sent them', async () => {
  await begin(plain);
  expect(codeOf(await ask({ images: [IMAGE] }))).toEqual([400, 'images_not_supported']);
  become(seeing);
  expect(codeOf(await ask({ images: [IMAGE] }))).toEqual([200, undefined]);
  expect((await server.get(`/sessions/${sessionId}/status`)).body.context_window.model_max_context).toBe(
    131_072,
  );
});

it('a model that holds more by now is sent what did not fit', async () => {
  await begin(plain);
  const long = 'word '.repeat(8000);
  expect(codeOf(await ask({ message: long }))).toEqual([400, 'context_overflow']);
  become(seeing);
  expect(codeOf(await ask({ message: long }))).toEqual([200, undefined]);
});

it('one that cannot see images any more says so, and answers what is said without any', async () => {
  await begin(seeing);
  expect(codeOf(await ask({ images: [IMAGE] }))).toEqual([200, undefined]);
  become(plain);
  // The image of the first message is left out for the new model.
  const { status, body } = await ask();
  expect(status).toBe(200);
  expect(body.context.model).toEqual({ name: 'm:latest', digest: digests.at(-1) });
  expect(codeOf(await ask({ images: [IMAGE] }))).toEqual([400, 'images_not_supported']);
});

it('an image for a model that has just lost its eyes is refused in our words', async () => {
  await begin(seeing);
  await ask();
  become(plain);
  expect(codeOf(await ask({ images: [IMAGE] }))).toEqual([400, 'images_not_supported']);
});

it('a change is told once, by the turn that met it, and kept with it', async () => {
  await begin(plain);
  const first = await ask();
  expect(first.body.context.model).toEqual({ name: 'm:latest', digest: digests.at(-1) });
  become(plain);
  const before = server.ollama.requests.length;
  const { body } = await ask();
  expect(body.context).toMatchObject({
    model: { name: 'm:latest', digest: digests.at(-1) },
    model_changed: lastChange(),
    cache_break: 'model',
    prefix_reused: 0,
  });
  // Nothing was asked before the answer.
  const asked = server.ollama.requests.slice(before).filter(({ path }) => path !== '/api/ps');
  expect(asked[0]?.path).toBe('/api/chat');
  expect((await server.get(`/turns/${body.turn_id}`)).body.context).toEqual(body.context);
  expect((await server.get(`/turns/${first.body.turn_id}`)).body.context.model.digest).toBe(digests.at(-2));
  const next = (await ask()).body.context;
  expect([next.model.digest, next.model_changed, next.cache_break]).toEqual([
    digests.at(-1),
    undefined,
    null,
  ]);
});

it('a change while the server was away is told as well', async () => {
  await begin(plain);
  await ask();
  become(plain);
  await server.restart();
  const { body } = await ask();
  expect(body.context).toMatchObject({ model_changed: lastChange(), cache_break: 'model' });
});

it('a refusal by a model that is the same is told as it is', async () => {
  await begin(plain);
  server.ollama.reply({ steps: [], answer: { status: 500, headers: {}, body: '{"error":"no"}' } });
  const before = server.ollama.requestsTo('/api/chat').length;
  expect(codeOf(await ask())).toEqual([502, 'ollama_error']);
  expect(server.ollama.requestsTo('/api/chat')).toHaveLength(before + 1);
});
