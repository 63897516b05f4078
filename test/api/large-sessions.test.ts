// Large sessions come and go in slices, between which everybody else has a turn; nobody sees one that is not whole.
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialectOf } from '../../src/store/dialect/dialect-of.ts';
import { SLICE_ROWS } from '../../src/store/slices.ts';
import { eventually } from '../support/eventually.ts';
import { sessionLines } from '../support/session-lines.ts';
import { openDatabaseOf } from '../support/test-database.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

const MESSAGES = 1500;
const TURNS = 300;
/** Of two looks, one in each turn of the loop: a slice can follow the one and another go before the other. */
const MOST_BETWEEN = 2 * SLICE_ROWS;

let server: TestServer;
/** Looks beside the server. */
let beside: Awaited<ReturnType<typeof openDatabaseOf>>;
beforeAll(async () => {
  server = await startTestServer();
  beside = await openDatabaseOf(server.dataDir, { exclusive: false });
});
afterAll(async () => {
  await beside.close();
  await server.close();
});

const isPostgres = () => dialectOf(beside.db).name === 'postgres';

async function rowsOf(sessionId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from messages where session_id = ${sessionId})
      + (select count(*) from turns where session_id = ${sessionId})
      + (select count(*) from tool_calls where session_id = ${sessionId}) as count
  `.execute(beside.db);
  return rows[0]?.count ?? 0;
}

async function hiddenId(): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select id from session_rows where hidden is not null
  `.execute(beside.db);
  return rows[0]?.id ?? null;
}

const importLines = (lines: string) =>
  server.post('/sessions/import', lines, { 'content-type': 'application/x-ndjson' });

async function imported(id: string, content?: (index: number) => string): Promise<string> {
  const { body } = await importLines(
    sessionLines({ id, messages: MESSAGES, turns: TURNS, ...(content && { content }) }),
  );
  expect(body).toMatchObject({ imported: [{ source_id: id }] });
  return body.imported[0].session_id;
}

/** How many rows the session has at each turn of the loop until `until` says so. */
async function watchRows(
  id: () => string | null | Promise<string | null>,
  until: () => boolean | Promise<boolean>,
): Promise<number[]> {
  const seen: number[] = [];
  const look = async () => {
    const sessionId = await id();
    const rows = sessionId === null ? 0 : await rowsOf(sessionId);
    if (rows !== seen.at(-1)) seen.push(rows);
  };
  while (!(await until())) {
    await look();
    await setImmediate();
  }
  await look();
  return seen;
}

/** A look at PostgreSQL takes its time: several slices may come meanwhile. */
function expectSlices(counts: readonly number[]): void {
  if (isPostgres()) return;
  const steps = counts.map((count, index) => Math.abs(count - (counts[index - 1] ?? count)));
  expect(Math.max(...steps)).toBeLessThanOrEqual(MOST_BETWEEN);
}

describe('an import', () => {
  it('writes a slice at a time, and is seen whole or not at all', async () => {
    const progress = { isDone: false };
    const importing = imported('long').finally(() => {
      progress.isDone = true;
    });
    const counting = watchRows(
      () => 'long',
      () => progress.isDone,
    );
    let looks = 0;
    while (!progress.isDone) {
      const { body } = await server.get('/sessions');
      const found = await server.get('/search?q=700');
      const { status } = await server.get('/sessions/long/messages?limit=1');
      if (progress.isDone) break;
      const isSeen = [body.sessions.length > 0, found.body.results.length > 0, status === 200];
      // Whole at once, which may be while its answer is on its way: what is asked later sees it, too.
      expect(isSeen).toEqual(isSeen.toSorted((one, other) => Number(one) - Number(other)));
      if (isSeen.includes(true)) break;
      looks += 1;
    }
    const counts = await counting;
    expect(await importing).toBe('long');
    expect(looks).toBeGreaterThan(0);
    expectSlices(counts);
    expect((await server.get('/search?q=700')).body.results).toHaveLength(1);
    expect((await server.get('/sessions/long')).body.message_count).toBe(MESSAGES);
  });

  it('of the same content twice at once is stored once', async () => {
    const answers = await Promise.all(
      [1, 2].map(() =>
        importLines(
          sessionLines({ id: 'twin', messages: MESSAGES, turns: TURNS, content: (n) => `twin ${n}` }),
        ),
      ),
    );
    const outcome = answers.map(({ body }) => `${body.imported.length} ${body.skipped.length}`);
    expect(outcome.toSorted()).toEqual(['0 1', '1 0']);
    expect(await rowsOf('twin')).toBe(MESSAGES + TURNS);
    expect(await hiddenId()).toBeNull();
  });
});

describe('a fork', () => {
  it('copies a slice at a time, and is seen when it is whole', async () => {
    let isDone = false;
    const forking = server.post('/sessions/long/fork', {}).finally(() => {
      isDone = true;
    });
    let id: string | null = null;
    const counts = await watchRows(
      async () => (id ??= await hiddenId()),
      () => isDone,
    );
    const { status, body } = await forking;
    expect([status, body.session_id, body.message_count]).toEqual([201, id, MESSAGES]);
    expectSlices(counts);
    const [source, copy] = await Promise.all([server.messages('long'), server.messages(body.session_id)]);
    expect(copy).toEqual(source.map((message) => ({ ...message, sibling_count: 1 })));
  });

  it('of a session that is deleted meanwhile is a fork or nothing', async () => {
    const source = await imported('fading', (n) => `fading ${n}`);
    const forking = server.post(`/sessions/${source}/fork`, {});
    await eventually(async () => expect(await hiddenId()).not.toBeNull(), { interval: 1 });
    expect((await server.request('DELETE', `/sessions/${source}`)).status).toBe(204);
    const answer = await forking;
    if (answer.status === 201) expect(await server.messages(answer.body.session_id)).toHaveLength(MESSAGES);
    else expectError(answer, 404, 'session_not_found');
    await eventually(async () => expect(await hiddenId()).toBeNull(), { timeout: 20_000 });
  });
});

describe('reading all of it', () => {
  async function pages(path: string): Promise<any[]> {
    const items: any[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body }: any = await server.get(`${path}?limit=400${cursor && `&cursor=${cursor}`}`);
      items.push(...body.messages);
      cursor = body.next_cursor;
    }
    return items;
  }

  it.each(['/messages', '/tree'])('%s is written piece by piece, and is what its pages are', async (part) => {
    const { status, headers, body } = await server.get(`/sessions/long${part}`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(headers.get('content-length')).toBeNull();
    expect(body.next_cursor).toBeNull();
    expect(body.messages).toHaveLength(MESSAGES);
    expect(body.messages).toEqual(await pages(`/sessions/long${part}`));
    if (part === '/tree') expect([body.session_id, body.head]).toEqual(['long', `m${MESSAGES - 1}`]);
  });

  it('a session with its messages, too', async () => {
    const { headers, body } = await server.get('/sessions/long');
    expect(headers.get('content-length')).toBeNull();
    const { messages, ...session } = body;
    expect(messages).toEqual(await pages('/sessions/long/messages'));
    expect(session).toEqual((await server.request('PATCH', '/sessions/long', {})).body);
  });

  it('what follows a position, without a limit', async () => {
    const { body } = await server.get('/sessions/long/messages?limit=700');
    const rest = await server.get(`/sessions/long/messages?cursor=${body.next_cursor}`);
    expect(rest.body.messages).toHaveLength(MESSAGES - 700);
    expect(rest.body.messages[0].message_id).toBe('m700');
  });

  it('a reader that leaves lets go of what it read from', async () => {
    const stop = new AbortController();
    const answer = await fetch(`${server.url}/api/v1/sessions/long/tree`, { signal: stop.signal });
    await answer.body?.getReader().read();
    stop.abort();
    await server.request('PATCH', '/sessions/long', { title: 'After' });
    // A snapshot that is still open keeps the log of SQLite from being cleared.
    const snapshots = isPostgres()
      ? sql<{ busy: number }>`
          select count(*) as busy from pg_stat_activity
          where datname = current_database() and state like 'idle in transaction%'
        `
      : sql<{ busy: number }>`pragma wal_checkpoint(truncate)`;
    await eventually(async () => {
      expect((await snapshots.execute(beside.db)).rows).toMatchObject([{ busy: 0 }]);
    });
  });
});

describe('a deletion', () => {
  it('is done at once for readers, and is cleared a slice at a time', async () => {
    const id = await imported('gone', (n) => `quokka ${n}`);
    const [turn] = (await server.get(`/sessions/${id}/turns?limit=1`)).body.turns;
    const watching = watchRows(
      () => id,
      async () => (await rowsOf(id)) === 0,
    );
    expect((await server.request('DELETE', `/sessions/${id}`)).status).toBe(204);
    expectError(await server.get(`/sessions/${id}`), 404, 'session_not_found');
    expectError(await server.get(`/sessions/${id}/export`), 404, 'session_not_found');
    expectError(await server.get(`/turns/${turn.turn_id}`), 404, 'turn_not_found');
    expect((await server.get('/search?q=quokka')).body.results).toEqual([]);
    expect((await server.get('/sessions?q=quokka')).body.sessions).toEqual([]);
    expectError(await server.request('DELETE', `/sessions/${id}`), 404, 'session_not_found');
    const counts = await watching;
    expect(counts[0]).toBe(MESSAGES + TURNS);
    expectSlices(counts);
    await eventually(async () => expect(await hiddenId()).toBeNull());
    // Nor does the search index keep its words.
    const kept = isPostgres()
      ? sql<{ blocks: number }>`
          select count(*) as blocks from search_messages where words @@ 'quokka'::tsquery
        `
      : sql<{ blocks: number }>`
          select count(*) as blocks from search_index_data where instr(block, cast('quokka' as blob))
        `;
    await eventually(async () => expect((await kept.execute(beside.db)).rows).toEqual([{ blocks: 0 }]), {
      timeout: 20_000,
    });
  });

  it('makes its id free for an import', async () => {
    const id = await imported('again', (n) => `again ${n}`);
    await server.request('DELETE', `/sessions/${id}`);
    expect(await imported('again', (n) => `again ${n}`)).toBe('again');
    expect(await server.messages('again')).toHaveLength(MESSAGES);
  });

  it('goes on over a restart, as does what a killed import has left', async () => {
    const [deleted, left, alive] = [
      await imported('deleted', (n) => `deleted ${n}`),
      await imported('left', (n) => `left ${n}`),
      await imported('alive', (n) => `alive ${n}`),
    ];
    await server.restart();
    const hide = (how: string, at: number, id: string) =>
      sql`update session_rows set hidden = ${how}, hidden_at = ${at} where id = ${id}`.execute(beside.db);
    await hide('incoming', Date.now(), alive);
    await hide('incoming', Date.now() - 3_600_000, left);
    await hide('deleted', Date.now(), deleted);
    await server.restart();
    for (const id of [deleted, left, alive]) {
      expectError(await server.get(`/sessions/${id}`), 404, 'session_not_found');
    }
    await eventually(async () => expect((await rowsOf(deleted)) + (await rowsOf(left))).toBe(0), {
      timeout: 20_000,
    });
    // Somebody may still be writing it.
    expect(await rowsOf(alive)).toBe(MESSAGES + TURNS);
  });
});
