// Counts commits of the database in this process, and ends it at one of them. What was being committed stands in
// `kills.txt` of the data folder then.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';

export interface KillPoint {
  readonly at: 'before' | 'after';
  /** From 1. */
  readonly commit: number;
}

let armed: (KillPoint & { readonly dataDir: string }) | null = null;
let commits = 0;
/** Written in the transaction that is open. */
let written: string[] = [];

/** @param text such as `before:3`; anything else: nowhere */
export function readKillPoint(text: string): KillPoint | null {
  const [, at, commit] = /^(before|after):(\d+)$/.exec(text) ?? [];
  return at === 'before' || at === 'after' ? { at, commit: Number(commit) } : null;
}

export function killAt(dataDir: string, point: KillPoint | null): void {
  armed = point && { ...point, dataDir };
  commits = 0;
}

function die(what: readonly string[]): void {
  if (armed === null) return;
  const { at, dataDir } = armed;
  appendFileSync(join(dataDir, 'kills.txt'), `${at} ${what.join(', ')}\n`);
  process.kill(process.pid, 'SIGKILL');
}

function committing<T>(what: readonly string[], commit: () => T): T {
  commits += 1;
  const isDue = armed?.commit === commits;
  if (isDue && armed?.at === 'before') die(what);
  const result = commit();
  if (isDue) die(what);
  return result;
}

const TABLE = /^(insert|update|delete)\b.*?"(\w+)"/is;

type Run = (...parameters: unknown[]) => unknown;

/** A statement that writes: noted inside of a transaction, a commit of its own outside of one. */
function watched(driver: SqliteDriver.Database, source: string, run: Run): Run {
  const [, verb, table] = TABLE.exec(source) ?? [];
  const what = `${verb?.toLowerCase()} ${table}`;
  return (...parameters) => {
    if (!driver.inTransaction) return committing([what], () => run(...parameters));
    if (!written.includes(what)) written.push(what);
    return run(...parameters);
  };
}

const prepare = SqliteDriver.prototype.prepare as (this: SqliteDriver.Database, source: string) => object;
SqliteDriver.prototype.prepare = function prepareWatched(this: SqliteDriver.Database, source: string) {
  const statement = prepare.call(this, source) as Record<'run' | 'all', Run> & { readonly: boolean };
  const own = { run: statement.run.bind(statement), all: statement.all.bind(statement) };
  if (/^commit\b/i.test(source)) {
    statement.run = (...parameters) => committing(written, () => own.run(...parameters));
    statement.all = (...parameters) => committing(written, () => own.all(...parameters));
  } else if (/^begin\b/i.test(source)) {
    statement.run = (...parameters) => {
      written = [];
      return own.run(...parameters);
    };
    statement.all = (...parameters) => {
      written = [];
      return own.all(...parameters);
    };
  } else if (!statement.readonly) {
    statement.run = watched(this, source, own.run);
    statement.all = watched(this, source, own.all);
  }
  return statement;
} as typeof SqliteDriver.prototype.prepare;
