// Sessions that clients of other APIs began without naming one, and that nobody has gone on with by name, go some day.
import { setTimeout as wait } from 'node:timers/promises';
import type { LiveTurns } from '../chat/live-turns.ts';
import { timestampBefore } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import type { Db } from '../store/database.ts';
import { findForgottenSessions } from '../store/sessions.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Looked up at once. */
const BATCH = 100;

interface SweepDeps {
  readonly db: Db;
  readonly log: Log;
  readonly turns: Pick<LiveTurns, 'delete'>;
  /** Days without use; 0: for good. */
  readonly unlistedDays: number;
}

/** Deletes what was not used for so many days. @returns how many sessions that were */
async function sweepUnlisted(
  { db, turns, unlistedDays }: Omit<SweepDeps, 'log'>,
  signal?: AbortSignal,
): Promise<number> {
  if (unlistedDays === 0) return 0;
  const before = timestampBefore(unlistedDays * DAY_MS);
  let count = 0;
  for (;;) {
    const ids = await findForgottenSessions(db, before, BATCH);
    for (const id of ids) {
      if (signal?.aborted) return count;
      if (await turns.delete(id)) count += 1;
    }
    if (ids.length < BATCH) return count;
  }
}

/** Once a day, from `start` on. */
export function createSweep({ log, ...deps }: SweepDeps): { start(): void; close(): Promise<void> } {
  const stop = new AbortController();
  const { signal } = stop;
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    while (!signal.aborted) {
      const count = await sweepUnlisted(deps, signal).catch((error: unknown) => {
        log.warn({ err: error }, 'sessions that nobody uses could not be deleted yet');
        return 0;
      });
      if (count > 0) log.info({ sessions: count }, 'unlisted sessions that nobody used were deleted');
      await wait(DAY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  return {
    start() {
      running = run();
    },
    async close() {
      stop.abort();
      await running;
    },
  };
}
