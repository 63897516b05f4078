// What people read: messages that are sentences, and say what to do.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
let sessionId: string;
beforeAll(async () => {
  server = await startTestServer();
  sessionId = await server.createSession({ system_prompt: 'S' });
  await server.chat(sessionId, { message: 'Hi' });
});
afterAll(() => server.close());

it.each<[string, string, unknown, string]>([
  [
    'PUT',
    '/sessions/ID/messages/2',
    { content: 'C' },
    'Message 2 has the role assistant. Only user messages can be edited: send the index of one.',
  ],
  [
    'PUT',
    '/sessions/ID/messages/3',
    { content: 'C' },
    'Session ID has no message 3: its messages are numbered from 0 to 2.',
  ],
  ['POST', '/chat/ID', { message: ' \n' }, 'The request is not valid: /message must not be blank.'],
  [
    'PUT',
    '/sessions/ID/messages/1',
    { content: ' ' },
    'The request is not valid: /content must not be blank.',
  ],
  [
    'POST',
    '/sessions',
    { model: 'm', system_prompt: ' ' },
    'The request is not valid: /system_prompt must not be blank.',
  ],
  [
    'POST',
    '/chat/ID',
    { message: 'M', images: ['not base64'] },
    'The request is not valid: /images/0 must be base64, or a data URI of an image in base64.',
  ],
  [
    'POST',
    '/chat/ID',
    { message: 'M', think: 'maybe' },
    'The request is not valid: /think must be boolean, or one of low, medium, high, or null.',
  ],
  [
    'POST',
    '/chat/ID',
    { message: 'M', format: 'xml' },
    'The request is not valid: /format must be "json", or object, or null.',
  ],
  ['POST', '/chat/ID', { message: 7 }, 'The request is not valid: /message must be string or null.'],
  ['OPTIONS', '/nowhere', undefined, 'There is no /api/v1/nowhere here. /docs shows what there is.'],
  ['POST', '/chat/ID/cancel', undefined, 'Session ID is not answering: there is nothing to cancel.'],
  ['GET', '/nowhere', undefined, 'There is no /api/v1/nowhere here. /docs shows what there is.'],
  [
    'GET',
    '/models/nobody',
    undefined,
    'Model nobody is not installed. Installed: llama3.2:latest, qwen3:14b, tiny:latest, llava:7b, old:latest, hf.co/org/repo:Q4_K_M.',
  ],
  ['PATCH', '/models', undefined, 'PATCH is not possible here. Use GET, HEAD.'],
])('%s %s %j', async (method, path, body, message) => {
  const answer = await server.request(method, path.replace('ID', sessionId), body);
  expect(answer.body.detail.error.message).toBe(message.replace('ID', sessionId));
});
