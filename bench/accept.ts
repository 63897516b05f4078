// (t) What it costs to accept a turn, on SQLite and on PostgreSQL, beside the commit that the promise needs.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Client } from 'pg';
import { acceptTurn } from '../src/chat/accept-turn.ts';
import { createTurnLines } from '../src/chat/line/turn-lines.ts';
import { toQueuedMessage, toTurnRequest } from '../src/chat/turn-request.ts';
import { LiveTurn } from '../src/chat/watch/live-turn.ts';
import { timestampNow } from '../src/kit/clock.ts';
import { randomHex } from '../src/kit/ids.ts';
import { requireHeadedSession } from '../src/sessions/require.ts';
import type { Db } from '../src/store/database.ts';
import { openPostgres } from '../src/store/dialect/postgres/open.ts';
import { openStore } from '../src/store/open-store.ts';
import { insertSession } from '../src/store/sessions.ts';
import { newSession } from '../test/support/open-test-store.ts';
import { startOwnPostgres } from '../test/support/postgres.ts';
import { removeFolder, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, percentile } from './statistics.ts';

/** Of its own commit. */
const MOST_RATIO = 1.5;
/** Before anything is measured. */
const WARM_UP = 50;
/** As much text as a question has. */
const QUESTION = 'What is to be said about this? '.repeat(10);

type Times = readonly number[];

export async function measureAccept({ isQuick, say }: BenchOptions): Promise<Findings> {
  const count = isQuick ? 50 : 500;
  const sqlite = await onSqlite(count);
  const postgres = await onPostgres(count);
  if (postgres === null) say('There is no PostgreSQL on this machine: SQLite alone is measured.');
  const both = { SQLite: sqlite, ...(postgres && { PostgreSQL: postgres }) };
  return {
    columns: ['', 'accept: median ms', 'p99 ms', 'its commit: median ms', 'accept to commit'],
    rows: Object.entries(both).map(([name, { accepts, commits }]) => [
      name,
      number(median(accepts), 3),
      number(percentile(accepts, 99), 3),
      number(median(commits), 3),
      number(median(accepts) / median(commits), 2),
    ]),
    targets:
      postgres === null
        ? []
        : [
            {
              name: 'accept on PostgreSQL, to its own commit, median',
              reached: median(postgres.accepts) / median(postgres.commits),
              limit: MOST_RATIO,
              bound: 'at most',
              unit: '',
              note: `one after the other, ${count} turns, over the loopback, with fsync`,
            },
          ],
  };
}

interface Measured {
  readonly accepts: Times;
  readonly commits: Times;
}

async function onSqlite(count: number): Promise<Measured> {
  const dataDir = temporaryFolder();
  const store = await openStore({ dataDir, exclusive: true });
  const driver = new SqliteDriver(join(dataDir, 'bare.db'));
  driver.pragma('journal_mode = WAL');
  driver.pragma('synchronous = FULL');
  driver.exec('create table rows (text text)');
  const insert = driver.prepare('insert into rows (text) values (?)');
  const measured = await measure(store.db, count, () => {
    insert.run(QUESTION);
  });
  driver.close();
  await store.close();
  removeFolder(dataDir);
  return measured;
}

async function onPostgres(count: number): Promise<Measured | null> {
  const postgres = await startOwnPostgres();
  if (postgres === null) return null;
  await postgres.halt();
  await postgres.start(['fsync=on', 'full_page_writes=on']);
  const store = await openPostgres({ url: postgres.url, pool: 5 });
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query('create table bare_rows (text text)');
  const measured = await measure(store.db, count, async () => {
    await client.query('insert into bare_rows (text) values ($1)', [QUESTION]);
  });
  await client.end();
  await store.close();
  await postgres.stop();
  return measured;
}

/** In turn, so that both have the same machine. */
async function measure(db: Db, count: number, commit: () => Promise<void> | void): Promise<Measured> {
  const deps = { db, newId: (digits: number) => randomHex(digits), now: timestampNow };
  const lines = createTurnLines({ maxRunning: 8, maxQueued: 8 });
  const request = toTurnRequest({ message: QUESTION }, 'stream');
  const accepts: number[] = [];
  const commits: number[] = [];
  for (let round = -WARM_UP; round < count; round += 1) {
    const sessionId = randomHex(10);
    await insertSession(db, newSession(sessionId));
    const createdAt = timestampNow();
    const turnId = `turn_${randomHex(12)}`;
    const live = new LiveTurn({ turnId, sessionId, createdAt });
    const place = lines.enter(sessionId, turnId);
    const message = toQueuedMessage(deps, request);
    // As the check before it has read it.
    const seen = await requireHeadedSession(db, sessionId);
    const asked = {
      seen,
      live,
      createdAt,
      request,
      message,
      place,
      living: () => [],
      idempotency: null,
      run: null,
    };
    const accepted = await timed(async () => {
      const { durable } = await acceptTurn(deps, asked);
      await durable;
    });
    place.leave();
    const committed = await timed(async () => commit());
    if (round < 0) continue;
    accepts.push(accepted);
    commits.push(committed);
  }
  return { accepts, commits };
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}
