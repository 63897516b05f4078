// How long turns are nobody's when the server that drives them is killed.
import { setTimeout } from 'node:timers/promises';
import { Pool } from 'pg';
import { startEngine } from './load-streams.ts';
import type { Program } from './processes.ts';
import type { SharedDatabase } from './shared-database.ts';
import { createSessions } from './sides.ts';

/** Between two kills: each falls into another moment of the beat of those that stay. */
const APART_MS = 1300;
const LOOK_MS = 50;
const LONGEST_MS = 90_000;

/** Seconds from the kill. */
export interface Takeover {
  /** Until the turn that was being answered has its end. */
  readonly ended: number;
  /** Until the one that stood in line behind it runs at another server. */
  readonly resumed: number;
}

/** So many drivers are killed, each with a turn that is answered and one in line; one server stays. */
export async function measureTakeovers(database: SharedDatabase, kills: number): Promise<Takeover[]> {
  const engine = await startEngine();
  const stays = await database.startServer(engine);
  const pool = new Pool({ connectionString: database.url });
  const takeovers = await Promise.all(
    Array.from({ length: kills }, async (_, index) => {
      const driver = await database.startServer(engine);
      const [sessionId = ''] = await createSessions(driver, { model: 'endless', calls: 1 });
      const running = await beginTurn(driver, sessionId, 'event: content_delta');
      const waiting = await beginTurn(driver, sessionId, 'event: turn_start');
      // Its first checkpoint is stored.
      await setTimeout(2000 + index * APART_MS);
      process.kill(driver.pid, 'SIGKILL');
      const killedAt = performance.now();
      const [ended, resumed] = await Promise.all([
        until(pool, killedAt, { turnId: running, is: 'finished_at is not null' }),
        until(pool, killedAt, { turnId: waiting, is: "state = 'running'" }),
      ]);
      return { ended, resumed };
    }),
  );
  await pool.end();
  await stays.stop();
  await engine.stop();
  return takeovers;
}

/** @returns its id, when the stream has said so much; it goes on without anybody who reads */
async function beginTurn({ url }: Program, sessionId: string, mark: string): Promise<string> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/chat/${sessionId}/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: 'Go on.', on_busy: 'queue', on_disconnect: 'continue' }),
    signal: stop.signal,
  });
  let said = '';
  for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    said += text;
    const turnId = /"turn_id":"(\w+)"/.exec(said)?.[1];
    if (turnId === undefined || !said.includes(mark)) continue;
    stop.abort();
    return turnId;
  }
  throw new Error(`The stream has ended: ${said.slice(-500)}`);
}

/** @returns seconds; NaN: it never came to that */
async function until(
  pool: Pool,
  killedAt: number,
  { turnId, is }: { readonly turnId: string; readonly is: string },
): Promise<number> {
  while (performance.now() - killedAt < LONGEST_MS) {
    const { rows } = await pool.query(`select 1 from turns where id = $1 and ${is}`, [turnId]);
    if (rows.length > 0) return (performance.now() - killedAt) / 1000;
    await setTimeout(LOOK_MS);
  }
  return Number.NaN;
}
