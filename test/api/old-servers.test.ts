// A server that lists no capabilities (Ollama before v0.6.4): unknown is not no, and what it refuses is learnt.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const IMAGE = 'iVBORw0KGgo=';
const old = { showsCapabilities: false, contextLength: 8192 };

describe('a server that lists no capabilities', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      ollama: {
        version: '0.6.0',
        models: [
          { name: 'seeing', capabilities: ['completion', 'vision'], ...old },
          { name: 'blind', capabilities: ['completion'], ...old },
          { name: 'plain', capabilities: ['completion'], ...old },
        ],
      },
    });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.ollama.requests.length = 0;
  });
  const chats = () => server.ollama.requestsTo('/api/chat');
  const imagesOf = (index: number) =>
    chats()[index]?.body?.messages?.map(({ images }: { images?: readonly string[] }) => images ?? []);

  it('shows what is known', async () => {
    expect((await server.get('/models/seeing')).body.capabilities).toEqual(['completion']);
  });

  it('sends images to a model that may see them', async () => {
    const sessionId = await server.createSession({ model: 'seeing' });
    await server.chat(sessionId, { message: 'Look', images: [IMAGE] });
    await server.chat(sessionId, { message: 'And now?' });
    expect(imagesOf(1)?.[0]).toEqual([IMAGE]);
  });

  it('tells what the engine refuses in our words, once it has: the next one is not sent', async () => {
    const sessionId = await server.createSession({ model: 'blind' });
    const refused = await server.post(`/chat/${sessionId}`, { message: 'Look', images: [IMAGE] });
    expectError(refused, 400, 'images_not_supported');
    expect(refused.body.detail.error.message).toMatch(/missing data required for image input/);
    expect(refused.body.detail.error.details.message_taken_back).toBe(true);
    expect(await server.messages(sessionId)).toEqual([]);
    expect(chats()).toHaveLength(1);
    const next = await server.post(`/chat/${sessionId}`, { message: 'Look again', images: [IMAGE] });
    expectError(next, 400, 'images_not_supported');
    expect(chats()).toHaveLength(1);
    const { body } = await server.chat(sessionId, { message: 'Then read this' });
    expect(body.message.content).not.toBe('');
    expect(chats()).toHaveLength(2);
    expect(imagesOf(1)?.flat()).toEqual([]);
    expect((await server.get('/models/blind')).body.capabilities).toEqual(['completion']);
  });

  it('leaves out the images of the history for a model that turns out not to see', async () => {
    const sessionId = await server.createSession({ model: 'seeing' });
    await server.chat(sessionId, { message: 'Look', images: [IMAGE] });
    await server.request('PATCH', `/sessions/${sessionId}`, { model: 'plain' });
    await server.chat(sessionId, { message: 'What was it?' });
    expect(imagesOf(1)?.flat()).toEqual([IMAGE]);
    expect(imagesOf(2)?.flat()).toEqual([]);
  });

  it('asks a model to think until it has refused', async () => {
    const sessionId = await server.createSession({ model: 'plain' });
    await server.chat(sessionId, { message: 'One', think: true });
    await server.chat(sessionId, { message: 'Two', think: true });
    expect(chats().map(({ body }) => body?.think)).toEqual([true, false, false]);
  });
});
