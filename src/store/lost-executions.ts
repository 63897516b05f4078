// Attempts that an earlier run of the server began, and whose end nobody has stored: what is known of them, said once.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import { parseStored } from './parse-stored.ts';
import type { CallKey } from './tool-executions.ts';

/** An attempt to run a call of a turn. */
export interface LostExecution extends CallKey {
  readonly id: string;
  readonly turnId: string;
  readonly callId: string;
  readonly attempt: number;
  readonly startedAt: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly digest: string;
  readonly fingerprint: string;
  /** It changes nothing: that it was cut is known to have had no effect. */
  readonly isReadOnly: boolean;
}

/** What becomes of the call of an agent is known from its run. */
function isNoAgent(db: Db) {
  return sql<boolean>`${dialectOf(db).jsonText('tool_executions.source', 'kind')} <> 'agent'`;
}

/**
 * Those of calls that nobody has answered, in call order.
 * @param of earlier runs of the server than this one, or of turns that another server has left
 */
export async function listLostExecutions(
  db: Db,
  of: { readonly before: string } | { readonly turnIds: readonly string[] },
): Promise<LostExecution[]> {
  const query = db
    .selectFrom('tool_executions')
    .innerJoin('tool_calls', (join) =>
      join
        .onRef('tool_calls.session_id', '=', 'tool_executions.session_id')
        .onRef('tool_calls.message_id', '=', 'tool_executions.message_id')
        .onRef('tool_calls.call_index', '=', 'tool_executions.call_index'),
    )
    .innerJoin('messages', (join) =>
      join
        .onRef('messages.session_id', '=', 'tool_executions.session_id')
        .onRef('messages.id', '=', 'tool_executions.message_id'),
    )
    .select([
      'tool_executions.id',
      'tool_calls.session_id',
      'tool_calls.message_id',
      'tool_calls.call_index',
      'tool_calls.call_id',
      'messages.turn_id',
      'attempt',
      'started_at',
      'tool_executions.tool',
      'tool_executions.arguments',
      'tool_executions.digest',
      'fingerprint',
      'read_only',
    ])
    .where('tool_executions.state', '=', sql.lit('running'))
    .where('tool_calls.state', '=', 'running')
    .where(isNoAgent(db))
    .orderBy('messages.seq')
    .orderBy('tool_calls.call_index');
  const rows = await ('before' in of
    ? query.where('boot_id', '!=', of.before)
    : query.where(dialectOf(db).isAmong('messages.turn_id', of.turnIds))
  ).execute();
  return rows.map((row) => ({
    id: row.id,
    sessionId: row.session_id,
    messageId: row.message_id,
    callIndex: row.call_index,
    callId: row.call_id,
    // A message with calls is of a turn.
    turnId: row.turn_id ?? '',
    attempt: row.attempt,
    startedAt: row.started_at,
    tool: row.tool,
    arguments: parseStored(row.arguments),
    digest: row.digest,
    fingerprint: row.fingerprint,
    isReadOnly: row.read_only === 1,
  }));
}

/** What is said of an attempt that was cut. */
interface Cut {
  readonly finishedAt: string;
  readonly error: string;
}

/** The outcome is unknown, and so is what becomes of the call. @throws Error when it has ended */
export async function loseExecution(db: Db, lost: LostExecution, { finishedAt, error }: Cut): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('tool_executions')
    .set({ state: 'unknown', finished_at: finishedAt, error })
    .where('id', '=', lost.id)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error('The run of the tool has ended already.');
  await db
    .updateTable('tool_calls')
    .set({ state: 'unknown' })
    .where('session_id', '=', lost.sessionId)
    .where('message_id', '=', lost.messageId)
    .where('call_index', '=', lost.callIndex)
    .where('state', '=', 'running')
    .execute();
}

/**
 * Whatever still counts as running, such as runs by hand, does not run.
 * @param of earlier runs of the server than this one, or of a session that was imported
 */
export async function closeLostExecutions(
  db: Db,
  of: { readonly before: string } | { readonly sessionId: string },
  cut: { readonly finishedAt: string; readonly readOnly: string; readonly other: string },
): Promise<void> {
  const query = lostQuery(db, cut);
  await ('before' in of
    ? query.where('boot_id', '!=', of.before).where(isNoAgent(db))
    : query.where('session_id', '=', of.sessionId)
  ).execute();
}

function lostQuery(
  db: Db,
  cut: { readonly finishedAt: string; readonly readOnly: string; readonly other: string },
) {
  return db
    .updateTable('tool_executions')
    .set({
      state: sql<'failed' | 'unknown'>`case when read_only = 1 then 'failed' else 'unknown' end`,
      finished_at: cut.finishedAt,
      error: sql<string>`case when read_only = 1 then ${cut.readOnly} else ${cut.other} end`,
    })
    .where('state', '=', sql.lit('running'));
}

/** Runs by hand of servers that are gone, where several share the database. */
export async function closeLeftHandRuns(
  db: Db,
  cut: { readonly finishedAt: string; readonly readOnly: string; readonly other: string },
): Promise<void> {
  await lostQuery(db, cut)
    .where('session_id', 'is', null)
    .where(sql<boolean>`boot_id not in (select id from instances)`)
    .execute();
}
