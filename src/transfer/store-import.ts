// A session of a file → the store: once, and whole or not at all.

import { setTimeout } from 'node:timers/promises';
import { instantNow } from '../kit/clock.ts';
import { clearSession } from '../store/clear-session.ts';
import type { Db } from '../store/database.ts';
import { condemnSession, isIncoming } from '../store/hidden-sessions.ts';
import { lockImports } from '../store/lock-session.ts';
import { receiveSession, type Slice } from '../store/receive-session.ts';
import { findSessionRow, isTakenSessionId, type SessionRow } from '../store/session-rows.ts';
import { findImportedSession } from '../store/sessions.ts';
import type { ImportDeps, StoredImport } from './import-deps.ts';

export interface FoundSession {
  /** The id that it would like to have. */
  readonly id: string;
  /** What tells its content from another. */
  readonly importHash: string;
  readonly messages: number;
  /** Whether the session that has its id has its content. @param db a snapshot: it may take its time */
  isSame(db: Db, existing: SessionRow): Promise<boolean>;
  /** Inserts the session's row. */
  begin(db: Db, sessionId: string): Promise<void>;
  slices(sessionId: string): Iterable<Slice>;
  /** With the last slice. */
  finish(db: Db, sessionId: string): Promise<void>;
}

/** A session that is there already, or was imported from the same content before, is recognised and not doubled. */
export async function storeImport(deps: ImportDeps, found: FoundSession): Promise<StoredImport> {
  for (;;) {
    await makeRoom(deps.db, found.id);
    const stored = await storeUnlessIncoming(deps, found);
    if (stored !== null) return stored;
  }
}

/** @returns null: another import of the session has begun just now, and is to be waited for */
async function storeUnlessIncoming(deps: ImportDeps, found: FoundSession): Promise<StoredImport | null> {
  const { db } = deps;
  const { importHash } = found;
  const known = (await findImportedSession(db, importHash)) ?? (await findSame(deps, found));
  if (known !== null) return { type: 'known', sessionId: known };
  try {
    const sessionId = await receiveSession(db, {
      begin: async (transaction) => {
        await lockImports(transaction);
        if (await isIncoming(transaction, found.id)) throw new AlreadyIncoming();
        const id = (await isTakenSessionId(transaction, found.id)) ? deps.newId(10) : found.id;
        await found.begin(transaction, id);
        return id;
      },
      slices: (id) => alone(found.slices(id)),
      finish: async (transaction, id) => {
        await lockImports(transaction);
        const other = await findImportedSession(transaction, importHash, id);
        if (other !== null) throw new ImportedMeanwhile(other);
        await found.finish(transaction, id);
      },
    });
    return { type: 'imported', sessionId, messages: found.messages };
  } catch (error) {
    if (error instanceof ImportedMeanwhile) return { type: 'known', sessionId: error.sessionId };
    if (error instanceof AlreadyIncoming) return null;
    throw error;
  }
}

/** Each looks for the ids that are free, and takes them. */
function* alone(slices: Iterable<Slice>): Generator<Slice, void> {
  for (const slice of slices) {
    yield async (db) => {
      await lockImports(db);
      await slice(db);
    };
  }
}

/** Somebody else was quicker with the same content: this copy goes. */
class ImportedMeanwhile extends Error {
  override readonly name = 'ImportedMeanwhile';
  readonly sessionId: string;

  constructor(sessionId: string) {
    super('The same content was imported meanwhile.');
    this.sessionId = sessionId;
  }
}

/** It would have to take another id, and may be the one that is kept. */
class AlreadyIncoming extends Error {}

/** How often somebody looks whether another import of the same session has ended. */
const LOOK_MS = 200;

/** What was deleted, or left by a killed import, makes room for what comes; an import that lives is waited for. */
async function makeRoom(db: Db, sessionId: string): Promise<void> {
  for (;;) {
    if (await condemnSession(db, sessionId, instantNow())) return clearSession(db, sessionId);
    if (!(await isIncoming(db, sessionId))) return;
    await setTimeout(LOOK_MS);
  }
}

async function findSame(deps: ImportDeps, found: FoundSession): Promise<string | null> {
  if ((await findSessionRow(deps.db, found.id)) === null) return null;
  const snapshot = await deps.openSnapshot();
  try {
    const existing = await findSessionRow(snapshot.db, found.id);
    return existing !== null && (await found.isSame(snapshot.db, existing)) ? existing.id : null;
  } finally {
    await snapshot.close();
  }
}
