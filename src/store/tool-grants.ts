// Grant rows: approvals that a person wants remembered, each for one tool as it was.
import type { Selectable } from 'kysely';
import type { GrantMatch } from '../contract/approval.ts';
import type { Db, ToolGrantTable } from './database.ts';
import { parseStored } from './parse-stored.ts';

export interface StoredGrant {
  readonly id: string;
  readonly scope: 'session' | 'always';
  /** Null: of all sessions. */
  readonly sessionId: string | null;
  readonly toolName: string;
  readonly fingerprint: string;
  readonly match: GrantMatch;
  /** The only ones that it is about, and their digest; null: whatever they are. */
  readonly arguments: Readonly<Record<string, unknown>> | null;
  readonly digest: string | null;
  readonly confirmationId: string;
  readonly createdAt: string;
}

/** One that says the same is not repeated: whoever revokes it must not miss another. @returns the id that holds */
export async function insertGrant(db: Db, grant: StoredGrant): Promise<string> {
  const same = await db
    .selectFrom('tool_grants')
    .select('id')
    .where('scope', '=', grant.scope)
    .where('session_id', 'is not distinct from', grant.sessionId)
    .where('tool', '=', grant.toolName)
    .where('fingerprint', '=', grant.fingerprint)
    .where('match', '=', grant.match)
    .where('arguments_digest', 'is not distinct from', grant.digest)
    .executeTakeFirst();
  if (same !== undefined) return same.id;
  await db
    .insertInto('tool_grants')
    .values({
      id: grant.id,
      scope: grant.scope,
      session_id: grant.sessionId,
      tool: grant.toolName,
      fingerprint: grant.fingerprint,
      match: grant.match,
      arguments: grant.arguments && JSON.stringify(grant.arguments),
      arguments_digest: grant.digest,
      confirmation_id: grant.confirmationId,
      created_at: grant.createdAt,
    })
    .execute();
  return grant.id;
}

/** What holds in a session: its own, and those of all sessions. Without a session: every one. The newest first. */
export async function listGrants(db: Db, sessionId?: string): Promise<StoredGrant[]> {
  let query = db
    .selectFrom('tool_grants')
    .selectAll()
    .where((is) =>
      is.or([
        is('session_id', 'is', null),
        is.exists(
          is
            .selectFrom('sessions')
            .select('sessions.id')
            .whereRef('sessions.id', '=', 'tool_grants.session_id'),
        ),
      ]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id');
  if (sessionId !== undefined) {
    query = query.where((is) => is.or([is('session_id', 'is', null), is('session_id', '=', sessionId)]));
  }
  return (await query.execute()).map(toGrant);
}

/** @returns whether it was there */
export async function deleteGrant(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('tool_grants').where('id', '=', id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** What was remembered under other settings holds no longer. */
export async function deleteGrantsOfSession(db: Db, sessionId: string): Promise<void> {
  await db.deleteFrom('tool_grants').where('session_id', '=', sessionId).execute();
}

function toGrant(row: Selectable<ToolGrantTable>): StoredGrant {
  return {
    id: row.id,
    scope: row.scope,
    sessionId: row.session_id,
    toolName: row.tool,
    fingerprint: row.fingerprint,
    match: row.match,
    arguments: row.arguments === null ? null : parseStored(row.arguments),
    digest: row.arguments_digest,
    confirmationId: row.confirmation_id,
    createdAt: row.created_at,
  };
}
