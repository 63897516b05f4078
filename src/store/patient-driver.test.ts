// Statements that wait for the connection: however many there are, the loop turns in between.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Kysely, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import { afterAll, expect, it } from 'vitest';
import { PatientSqliteDriver } from './patient-driver.ts';
import { openSqlite } from './sqlite.ts';

const root = mkdtempSync(join(tmpdir(), 'mochi-driver-'));
afterAll(() => rmSync(root, { recursive: true }));

/** What each statement takes at least, whatever the machine. */
const WORK_MS = 6;

class PatientDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    super({ database });
    this.#database = database;
  }

  override createDriver(): PatientSqliteDriver {
    return new PatientSqliteDriver({ database: this.#database }, () => undefined);
  }
}

/** A real database that is slow. */
function slow(database: SqliteDatabase): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(text) {
      const startedAt = performance.now();
      while (performance.now() - startedAt < WORK_MS);
      return database.prepare(text);
    },
  };
}

it('a burst of statements takes many turns of the loop, a few in each', async () => {
  const db = new Kysely<unknown>({ dialect: new PatientDialect(slow(openSqlite(join(root, 'burst.db')))) });
  let done = 0;
  const burst = Promise.all(
    Array.from({ length: 30 }, async () => {
      await sql`select 1`.execute(db);
      done += 1;
    }),
  );
  const perTurn: number[] = [];
  for (let before = 0; before < 30; ) {
    await setImmediate();
    perTurn.push(done - before);
    before = done;
  }
  await burst;
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(2);
  await db.destroy();
});
