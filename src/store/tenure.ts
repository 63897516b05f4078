// Whose a turn is, where several servers share a database: who drives it says so at the begin of every transaction, and
// whoever has lost it meanwhile writes nothing. A database of SQLite has one server, whose all turns are.
import { type DialectAdapter, sql } from 'kysely';
import type { Db } from './database.ts';
import { changeSession } from './lock-session.ts';

/** By what all that goes to a database shares. */
const instances = new WeakMap<DialectAdapter, string>();

/** What is written through the database from now on is written by this instance. */
export function nameInstance(db: Db, instanceId: string): void {
  instances.set(db.getExecutor().adapter, instanceId);
}

/** Null: no other server shares the database, or nobody serves here. */
export function instanceOf(db: Db): string | null {
  return instances.get(db.getExecutor().adapter) ?? null;
}

/** By which a turn is somebody's. */
export interface Tenure {
  readonly owner: string;
  /** Counts how often it has changed hands. */
  readonly epoch: number;
}

/** Of a turn that begins here; null: nobody shares the database. */
export function newTenure(db: Db): Tenure | null {
  const owner = instanceOf(db);
  return owner === null ? null : { owner, epoch: 0 };
}

export interface OwnTurn {
  readonly turnId: string;
  readonly sessionId: string;
  /** Null: nobody else can have it. */
  readonly tenure: Tenure | null;
}

/** What others need of a turn that is one instance's. */
export interface OwnedTurn {
  readonly owner: string;
  readonly rank: number;
  /** What it was asked with, so that another instance can begin it. */
  readonly settings: object;
}

/** Another instance has the turn: nothing more is written about it here. */
export class TurnLost extends Error {
  override readonly name = 'TurnLost';
}

/** A transaction of whoever drives a turn. @throws TurnLost */
export function changeTurn<T>(db: Db, turn: OwnTurn, change: (transaction: Db) => Promise<T>): Promise<T> {
  return changeSession(db, turn.sessionId, async (transaction) => {
    await requireTenure(transaction, turn);
    return change(transaction);
  });
}

/** Nobody takes the turn until the end of the transaction. @throws TurnLost */
export async function requireTenure(db: Db, { turnId, tenure }: Omit<OwnTurn, 'sessionId'>): Promise<void> {
  if (tenure === null) return;
  const { owner, epoch } = tenure;
  const { rows } = await sql<{ is_own: boolean | null }>`
    select owner = ${owner} and epoch = ${epoch} as is_own from turns
    where id = ${turnId} for no key update`.execute(db);
  const [row] = rows;
  // It may have gone with its session.
  if (row !== undefined && row.is_own !== true)
    throw new TurnLost(`The turn ${turnId} is another instance's.`);
}
