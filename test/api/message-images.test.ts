// Images of messages: left out of lists when asked, and each at an address of its own that a browser can be given.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const KINDS = {
  'image/png': Buffer.from('\x89PNG\r\n\x1a\n and more', 'latin1'),
  'image/jpeg': Buffer.from('\xff\xd8\xff\xe0 and more', 'latin1'),
  'image/gif': Buffer.from('GIF89a and more', 'latin1'),
  'image/webp': Buffer.from('RIFF\x10\0\0\0WEBPVP8 and more', 'latin1'),
} as const;
/** What a browser would run, or must guess at. */
const OTHERS = [
  '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  '<!doctype html><script>alert(1)</script>',
  'GIF8',
  ' \x89PNG\r\n\x1a\n',
  'RIFF\x10\0\0\0WAVE',
].map((bytes) => Buffer.from(bytes, 'latin1'));

let server: TestServer;
let sessionId: string;
let messageId: string;
let othersId: string;
beforeAll(async () => {
  server = await startTestServer();
  sessionId = await server.createSession({ model: 'llava:7b' });
  for (const images of [Object.values(KINDS), OTHERS]) {
    const encoded = images.map((bytes) => bytes.toString('base64'));
    await server.chat(sessionId, { message: 'What are they?', images: encoded });
  }
  const messages = await server.messages(sessionId);
  [messageId, othersId] = [messages[0].message_id, messages[2].message_id];
});
afterAll(() => server.close());

const fetchImage = (index: number | string, message = messageId) =>
  fetch(`${server.url}/api/v1/sessions/${sessionId}/messages/${message}/images/${index}`);

describe('GET /sessions/{id}/messages/{id}/images/{n}', () => {
  it.each(Object.entries(KINDS).map(([type, bytes], index) => [type, bytes, index] as const))(
    'sends %s as what it is',
    async (type, bytes, index) => {
      const answer = await fetchImage(index);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
      expect(answer.headers.get('content-disposition')).toBeNull();
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'cache-control': 'private, max-age=31536000, immutable',
        'content-security-policy': 'sandbox',
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it.each(OTHERS.map((bytes, index) => [bytes.toString('latin1'), bytes, index] as const))(
    'makes a download of %j',
    async (_name, bytes, index) => {
      const answer = await fetchImage(index, othersId);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-disposition': 'attachment; filename="image"',
        'content-security-policy': 'sandbox',
        'x-content-type-options': 'nosniff',
      });
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
    },
  );

  it('sends what came as a data address, too', async () => {
    const other = await server.createSession({ model: 'llava:7b' });
    const image = `data:image/png;base64,${KINDS['image/png'].toString('base64')}`;
    await server.chat(other, { message: 'And this?', images: [image] });
    const [asked] = await server.messages(other);
    const answer = await fetch(
      `${server.url}/api/v1/sessions/${other}/messages/${asked.message_id}/images/0`,
    );
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(KINDS['image/png']);
  });

  it.each(['4', '-1', '00000', 'x', '1.5', '1e1', 'a%20b', '9'.repeat(500)])(
    'answers 404 for number %s, and says how many there are',
    async (index) => {
      const path = `/sessions/${sessionId}/messages/${messageId}/images/${index}`;
      const answer = await server.get(path);
      expectError(answer, 404, 'image_not_found');
      expect(answer.body.detail.error.message).toContain('4 of them');
      expect(answer.headers.get('cache-control') ?? '').not.toContain('immutable');
    },
  );

  it('answers 404 for a message without images, and for one that is not there', async () => {
    const [, answer] = await server.messages(sessionId);
    const path = (message: string) => `/sessions/${sessionId}/messages/${message}/images/0`;
    expectError(await server.get(path(answer.message_id)), 404, 'image_not_found');
    expectError(await server.get(path('nobody')), 404, 'message_not_found');
    expectError(await server.get(`/sessions/x/messages/${messageId}/images/0`), 404, 'session_not_found');
  });
});

describe('?images=omit', () => {
  it.each(['', '&limit=10'])('counts images in the place of carrying them (%j)', async (page) => {
    const { body } = await server.get(`/sessions/${sessionId}/messages?images=omit${page}`);
    const [asked, answered] = body.messages;
    expect([asked.images, asked.image_count]).toEqual([undefined, 4]);
    expect([answered.images, answered.image_count]).toEqual([undefined, undefined]);
    const whole = (await server.get(`/sessions/${sessionId}/messages?images=include${page}`)).body;
    const { images, ...rest } = whole.messages[0];
    expect(images).toHaveLength(4);
    expect(asked).toEqual({ ...rest, image_count: 4 });
    expect(answered).toEqual(whole.messages[1]);
  });
});
