// Exports of one session as it is at one moment, also while a turn runs, in pieces of text.
import { setImmediate } from 'node:timers/promises';
import type { ExportFormat } from '../contract/jsonl.ts';
import { sessionNotFound } from '../sessions/require.ts';
import type { Db } from '../store/database.ts';
import { listAgentChatIds } from '../store/list-sessions.ts';
import type { Snapshot } from '../store/open-snapshot.ts';
import { findSessionRow, type SessionRow } from '../store/session-rows.ts';
import { exportLines } from './jsonl/export.ts';
import { exportOriginal } from './original/export.ts';

export interface SessionExport {
  readonly text: AsyncGenerator<string, void>;
  /** Also when the text was not read to its end. */
  close(): Promise<void>;
}

export interface ExportOptions {
  readonly format: ExportFormat;
  /** The agent chats of the session after it, where the format has a place for them: `jsonl`. */
  readonly withAgents: boolean;
}

/** @throws MochiError session_not_found */
export async function openExport(
  openSnapshot: () => Promise<Snapshot>,
  sessionId: string,
  options: ExportOptions,
): Promise<SessionExport> {
  const snapshot = await openSnapshot();
  const session = await findSessionRow(snapshot.db, sessionId);
  if (session === null) {
    await snapshot.close();
    throw sessionNotFound(sessionId);
  }
  return { text: exportText(snapshot, session, options), close: () => snapshot.close() };
}

/** Small pieces are gathered: each costs a write. */
const PIECE_LENGTH = 32 * 1024;

export async function* exportText(
  { db }: Pick<Snapshot, 'db'>,
  session: SessionRow,
  { format, withAgents }: ExportOptions,
): AsyncGenerator<string, void> {
  const lines = withAgents ? exportFamily(db, session) : exportLines(db, session);
  const pieces = format === 'json' ? exportOriginal(db, session) : lines;
  const end = format === 'json' ? '' : '\n';
  let gathered = '';
  for await (const piece of pieces) {
    gathered += piece + end;
    if (gathered.length < PIECE_LENGTH) continue;
    yield gathered;
    gathered = '';
    // The driver is synchronous, and so is a socket whose reader is quick: let whatever else waits have its turn.
    await setImmediate();
  }
  if (gathered !== '') yield gathered;
}

/** A session before its agent chats: whoever reads the lines knows it when they refer to it. */
async function* exportFamily(db: Db, session: SessionRow): AsyncGenerator<string, void> {
  yield* exportLines(db, session);
  for (const id of await listAgentChatIds(db, session.id)) {
    const chat = await findSessionRow(db, id);
    if (chat !== null) yield* exportLines(db, chat);
  }
}
