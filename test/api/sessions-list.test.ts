// The list of sessions: order, pages over more than one can hold, previews, and cursors that nobody issued.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatMicroseconds } from '../../src/kit/clock.ts';
import { insertSession, type NewSession } from '../../src/store/sessions.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID, TIMESTAMP } from './wire-formats.ts';

const STORED = 2500;
/** Four sessions share each instant, so that ties are met at the ends of pages. */
const stored = Array.from({ length: STORED }, (_, index): NewSession => {
  const instant = formatMicroseconds(1_700_000_000_000_000 + Math.floor(index / 4) * 1_000_000);
  // Ids in an order of their own: neither that of insertion nor that of time.
  const id = ((index * 7919) % 1_000_003).toString(16).padStart(10, '0');
  return {
    id,
    model: 'llama3.2:latest',
    createdAt: instant,
    updatedAt: instant,
    title: null,
    metadata: { index },
    toolSettings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
    agentSettings: { enabled_agents: [] },
    contextWindow: {
      dynamic_enabled: true,
      current_window: 8192,
      last_adjustment: 'initial_setup',
      adjustment_history: [],
      manual_override: false,
    },
    summaryModel: null,
  };
});
const expectedIds = stored
  .toSorted((left, right) => compare(right.updatedAt, left.updatedAt) || compare(left.id, right.id))
  .map(({ id }) => id);

let dataDir: string;
let server: TestServer;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-list-'));
  const store = await openDatabaseOf(dataDir, { exclusive: true });
  await store.db.transaction().execute(async (transaction) => {
    for (const session of stored) await insertSession(transaction, session);
  });
  await store.close();
  server = await startTestServer({ dataDir });
});
afterAll(async () => {
  await server.close();
  await rm(dataDir, { recursive: true });
});

describe('pages', () => {
  it.each([
    ['', [1000, 1000, 500]],
    ['?limit=1000', [1000, 1000, 500]],
    ['?limit=625', [625, 625, 625, 625]],
    ['?limit=999', [999, 999, 502]],
  ])('of /sessions%s hold every session once, the newest first, then by id', async (query, lengths) => {
    const pages = await allPages(query);
    expect(pages.map((page) => page.length)).toEqual(lengths);
    expect(pages.flat()).toEqual(expectedIds);
  });

  it('are cut in the middle of an instant without loss', async () => {
    const ids: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null && ids.length < 30) {
      const { body } = await server.get(`/sessions?limit=3${cursor && `&cursor=${cursor}`}`);
      ids.push(...idsOf(body));
      cursor = body.next_cursor;
    }
    expect(ids).toEqual(expectedIds.slice(0, 30));
  });

  it('go on after a session that was deleted meanwhile', async () => {
    const first = await server.get('/sessions?limit=10');
    expect((await server.request('DELETE', `/sessions/${expectedIds[9]}`)).status).toBe(204);
    const second = await server.get(`/sessions?limit=10&cursor=${first.body.next_cursor}`);
    expect(idsOf(second.body)).toEqual(expectedIds.slice(10, 20));
    expectedIds.splice(9, 1);
  });

  it.each(['0', '-1', '1001', '1.5', 'abc', '', 'NaN', '1e9', '5&limit=6'])(
    'refuse the limit "%s"',
    async (limit) => {
      const answer = await server.get(`/sessions?limit=${limit}`);
      expect(expectError(answer, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/limit' }] });
    },
  );

  const notIssued = ['[]', '["a"]', '["a",1]', '["a","b","c"]', '{"0":"a","1":"b"}', 'null', '[5]', '"ab"'];
  it.each(['', 'abc', '%00', '***', ...notIssued.map((text) => Buffer.from(text).toString('base64url'))])(
    'refuse the cursor "%s"',
    async (cursor) => {
      expectError(await server.get(`/sessions?cursor=${cursor}`), 400, 'invalid_cursor');
    },
  );
});

describe('an entry', () => {
  it('shows what a list needs, and nothing that costs', async () => {
    const sessionId = await server.createSession({ title: 'Redis', metadata: { pinned: true } });
    await server.chat(sessionId, { message: 'Which port does Redis use?' });
    const [newest] = (await server.get('/sessions?limit=1')).body.sessions;
    expect(newest).toEqual({
      session_id: expect.stringMatching(ID),
      model: 'llama3.2:latest',
      title: 'Redis',
      created_at: expect.stringMatching(TIMESTAMP),
      updated_at: expect.stringMatching(TIMESTAMP),
      message_count: 2,
      summary: null,
      preview: 'Which port does Redis use?',
      metadata: { pinned: true },
      active_turn: null,
    });
    expect(newest.session_id).toBe(sessionId);
  });

  it('moves to the front when its session is changed, and not when it is read', async () => {
    const [older, newer] = [await server.createSession(), await server.createSession()];
    const newestTwo = async () => idsOf((await server.get('/sessions?limit=2')).body);
    await server.get(`/sessions/${older}`);
    expect(await newestTwo()).toEqual([newer, older]);
    await server.request('PATCH', `/sessions/${older}`, { title: 'changed' });
    expect(await newestTwo()).toEqual([older, newer]);
    await server.chat(newer, { message: 'Hi' });
    expect(await newestTwo()).toEqual([newer, older]);
  });

  const family = '👨‍👩‍👧';
  it.each([
    ['a short text', 'Hi\nthere', 'Hi\nthere'],
    ['100 letters', 'a'.repeat(100), 'a'.repeat(100)],
    ['101 letters', 'a'.repeat(101), `${'a'.repeat(97)}...`],
    ['100 emoji', '😀'.repeat(100), '😀'.repeat(100)],
    ['101 emoji', '😀'.repeat(101), `${'😀'.repeat(97)}...`],
    [
      '50 letters and 51 emoji',
      `${'a'.repeat(50)}${'😀'.repeat(51)}`,
      `${'a'.repeat(50)}${'😀'.repeat(47)}...`,
    ],
    ['20 families of 5 code points', family.repeat(20), family.repeat(20)],
    ['21 families of 5 code points', family.repeat(21), `${family.repeat(19)}👨‍...`],
    ['a very long text', 'word '.repeat(2000), `${'word '.repeat(20).slice(0, 97)}...`],
  ])('previews %s', async (_name, message, preview) => {
    const sessionId = await server.createSession({ system_prompt: 'Never shown.' });
    await server.chat(sessionId, { message });
    await server.chat(sessionId, { message: 'The second message is not the preview.' });
    expect(await previewOf(sessionId)).toBe(preview);
  });

  it('has an empty preview while nobody has said anything', async () => {
    expect(await previewOf(await server.createSession({ system_prompt: 'Be brief.' }))).toBe('');
  });

  it('previews the branch that is shown', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'First try' });
    const [first] = await server.messages(sessionId);
    await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'Second try' });
    expect(await previewOf(sessionId)).toBe('Second try');
    await server.request('PUT', `/sessions/${sessionId}/head`, { message_id: first.message_id });
    expect(await previewOf(sessionId)).toBe('First try');
  });
});

async function allPages(query: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const separator = query === '' ? '?' : '&';
    const { body } = await server.get(`/sessions${query}${cursor && `${separator}cursor=${cursor}`}`);
    pages.push(idsOf(body));
    cursor = body.next_cursor;
  }
  return pages;
}

/** The preview of a session that was changed last. */
async function previewOf(sessionId: string): Promise<string> {
  const { body } = await server.get('/sessions?limit=1');
  expect(idsOf(body)).toEqual([sessionId]);
  return body.sessions[0].preview;
}

function idsOf(body: { sessions: { session_id: string }[] }): string[] {
  return body.sessions.map(({ session_id: id }) => id);
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
