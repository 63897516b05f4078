// Every body that is none: what the document does not allow is refused, the rest is no fault of the server.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';
import { encodeBody, hostileBodies } from './json-values.ts';
import { fillTemplate, operations } from './operations.ts';
import type { WireAnswer } from './wire.ts';
import { openWorld, type World } from './world.ts';

/** Text that a JSON reader does not even begin to read. */
const UNREADABLE = new Set([
  'utf16le',
  'utf16be',
  'latin1',
  'overlong',
  'gzip',
  'prefixed',
  'commented',
  'form',
  'blank',
]);

/** A session that an answer shows is the session that is stored. */
async function expectKept({ server }: World, { headers, body }: WireAnswer): Promise<void> {
  if (!headers.get('content-type')?.startsWith('application/json')) return;
  const shown = JSON.parse(body.toString('utf8'));
  if (shown.session_id === undefined || shown.metadata === undefined) return;
  expect((await server.get(`/sessions/${shown.session_id}`)).body).toMatchObject(shown);
}

describe('bodies', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  const withBody = operations.filter(({ method }) => method !== 'GET');
  it.each(withBody)('$name', async (operation) => {
    const { method, template } = operation;
    const bodies = hostileBodies(operation.body ?? { type: 'object' });
    await fc.assert(
      fc.asyncProperty(bodies, async (hostile) => {
        const { encoding } = hostile;
        const place = await world.place();
        const target = fillTemplate(template, { ...place, index: '0' });
        const text = hostile.text.replaceAll('@@message_id@@', place.message_id);
        const body = encodeBody({ text, encoding });
        const answer = await world.attempt({
          method,
          target,
          headers: [
            ['content-type', 'application/json'],
            ...(encoding === 'gzip' ? [['content-encoding', 'gzip'] as const] : []),
          ],
          body,
        });
        const isMeant = encoding === 'as it is';
        const isRefused = UNREADABLE.has(encoding) || (isMeant && !operation.accepts(JSON.parse(text)));
        if (isRefused)
          expect(answer.status, `${method} ${target} ${text.slice(0, 500)}`).toBeGreaterThan(399);
        if (answer.status < 300) await expectKept(world, answer);
      }),
      fuzzRuns(operation.body === null ? 10 : 70),
    );
  });

  it('up to the limit and over it', async () => {
    const { session_id: sessionId } = await world.place();
    const send = async (body: Buffer, headers: [string, string][] = []) => {
      const target = `/api/v1/chat/${sessionId}`;
      const all = [['content-type', 'application/json'], ...headers] as [string, string][];
      return (await world.attempt({ method: 'POST', target, headers: all, body })).status;
    };
    expect(await send(Buffer.from(JSON.stringify({ message: 'x'.repeat(9_000_000) })))).toBe(400);
    expect(await send(Buffer.from('{'), [['content-length', '10485761']])).toBe(413);
    const chunk = Buffer.from(`100000\r\n${' '.repeat(1 << 20)}\r\n`);
    const chunks = Buffer.concat([...Array.from({ length: 11 }, () => chunk), Buffer.from('0\r\n\r\n')]);
    expect(await send(chunks, [['transfer-encoding', 'chunked']])).toBe(413);
  });
});
