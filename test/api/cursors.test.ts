// A cursor belongs to the list that issued it, of the session it was issued for: nowhere else does it name a place.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const LISTS = ['/sessions', '/sessions/A/messages', '/sessions/A/tree', '/sessions/A/turns'];

let server: TestServer;
const ids: Record<string, string> = {};
/** One of every list, by its path. */
const cursors = new Map<string, string>();
beforeAll(async () => {
  server = await startTestServer();
  for (const name of ['A', 'B']) {
    const sessionId = await server.createSession();
    ids[name] = sessionId;
    for (const message of ['One', 'Two']) await server.chat(sessionId, { message });
  }
  for (const list of LISTS) {
    const { body } = await server.get(`${fill(list)}?limit=1`);
    cursors.set(list, body.next_cursor);
  }
});
afterAll(() => server.close());

const fill = (list: string) => list.replace(/\/([AB])\//, (_match, name) => `/${ids[name]}/`);
const page = (list: string, cursor: string) =>
  server.get(`${fill(list)}?limit=1&cursor=${encodeURIComponent(cursor)}`);

describe.each(LISTS)('the cursor of %s', (list) => {
  const cursor = () => cursors.get(list) ?? '';

  it('leads on in its own list', async () => {
    expect(cursor()).toMatch(/^[\w-]+$/);
    const { status, body } = await page(list, cursor());
    expect(status).toBe(200);
    const first = await server.get(`${fill(list)}?limit=1`);
    expect(body).not.toEqual(first.body);
  });

  it('is refused by all others', async () => {
    const others = [...LISTS, ...LISTS.map((path) => path.replace('/A/', '/B/'))];
    for (const other of new Set(others.filter((path) => path !== list))) {
      expectError(await page(other, cursor()), 400, 'invalid_cursor');
    }
  });

  it('is refused when somebody wrote it', async () => {
    const [issuer, ...position] = JSON.parse(Buffer.from(cursor(), 'base64url').toString());
    const forged = [position, [issuer], [issuer, ...position, 1], [issuer, ...position.map(() => null)], {}];
    for (const value of forged) {
      const text = Buffer.from(JSON.stringify(value)).toString('base64url');
      expectError(await page(list, text), 400, 'invalid_cursor');
    }
    for (const text of ['x', '', '%', 'bnVsbA', cursor().slice(0, -3)]) {
      expectError(await page(list, text), 400, 'invalid_cursor');
    }
  });
});
