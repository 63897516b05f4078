// The journal of tools: every attempt to run one is on disk before it begins, and how it ended in the transaction that
// stores what came of it. Each change names the state that it finds, so that of two only the first is one.
import { type ExpressionBuilder, sql } from 'kysely';
import type { ToolSourceKind } from '../contract/tool.ts';
import type { Database, Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';
import type { StoredAsks } from './tool-calls.ts';

/** A call of a model. */
export interface CallKey {
  readonly sessionId: string;
  readonly messageId: string;
  readonly callIndex: number;
}

export interface ExecutionStart {
  readonly id: string;
  /** The run of the server. */
  readonly bootId: string;
  readonly startedAt: string;
  readonly tool: {
    readonly name: string;
    readonly source: { readonly name: { readonly kind: ToolSourceKind; readonly group: string } };
    readonly fingerprint: string;
    readonly readOnly: boolean;
  };
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly digest: string;
  readonly repairs: readonly string[];
}

/** How an attempt ended. */
export interface ExecutionEnd {
  /** `unknown`: it was stopped or lost, and may have taken effect. `asked`: it is run again with answers. */
  readonly state: 'succeeded' | 'failed' | 'unknown' | 'asked';
  readonly finishedAt: string;
  readonly durationMs: number;
  /** Null: it succeeded. */
  readonly error: string | null;
  /** The result was cut at the limit. */
  readonly truncated: boolean;
  readonly resultBytes: number;
  /** The whole text; null: it stands elsewhere, as the answer to the call or as the error. */
  readonly output: string | null;
  readonly log: string | null;
}

/**
 * A call begins. Inside a transaction that is committed before the call leaves: whoever finds it so later knows that it
 * may have taken effect.
 * @returns which attempt this is, from 1
 * @throws Error when it has begun, was answered or may not run: its turn has ended meanwhile
 */
export async function startExecution(db: Db, call: CallKey, start: ExecutionStart): Promise<number> {
  const { sessionId, messageId, callIndex } = call;
  const { numUpdatedRows } = await db
    .updateTable('tool_calls')
    .set({ state: 'running' })
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .where('state', '=', 'pending')
    .where((is) => is.or([is('verdict', '=', 'run'), is.exists(approvalOf(db, is, start.digest))]))
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error('The tool call is no longer open, or may not run.');
  const { attempt } = await db
    .selectFrom('tool_executions')
    .select(sql<number>`coalesce(max(attempt), 0) + 1`.as('attempt'))
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .executeTakeFirstOrThrow();
  await insertExecution(db, { call, attempt, start });
  return attempt;
}

/** What a person has approved is this very tool with these very arguments. */
function approvalOf(db: Db, is: ExpressionBuilder<Database, 'tool_calls'>, digest: string) {
  return (
    is
      .selectFrom('approvals')
      .select('approvals.id')
      // Of an agent's call the person is in another session.
      .where(
        sql`coalesce(approvals.agent_session_id, approvals.session_id)`,
        '=',
        is.ref('tool_calls.session_id'),
      )
      .whereRef('approvals.message_id', '=', 'tool_calls.message_id')
      .whereRef('approvals.call_index', '=', 'tool_calls.call_index')
      .where('approvals.state', '=', 'approved')
      .where(dialectOf(db).jsonText('approvals.decision', 'digest'), '=', digest)
  );
}

/** Of a person's own runs the newest are kept: those of calls go with their session. */
const HAND_RUNS = 1000;

/** A person's own run begins. Inside a transaction, as above. */
export async function startHandRun(db: Db, start: ExecutionStart): Promise<void> {
  await insertExecution(db, { call: null, attempt: 1, start });
  await sql`delete from tool_executions where id in (
    select id from tool_executions where session_id is null
    order by started_at desc, id limit ${Number.MAX_SAFE_INTEGER} offset ${HAND_RUNS}
  ) and state <> 'running'`.execute(db);
}

async function insertExecution(
  db: Db,
  row: { readonly call: CallKey | null; readonly attempt: number; readonly start: ExecutionStart },
): Promise<void> {
  const { call, attempt, start } = row;
  const { tool } = start;
  await db
    .insertInto('tool_executions')
    .values({
      id: start.id,
      session_id: call?.sessionId ?? null,
      message_id: call?.messageId ?? null,
      call_index: call?.callIndex ?? null,
      attempt,
      tool: tool.name,
      source: JSON.stringify({ kind: tool.source.name.kind, group: tool.source.name.group }),
      arguments: JSON.stringify(start.arguments),
      digest: start.digest,
      fingerprint: tool.fingerprint,
      read_only: tool.readOnly ? 1 : 0,
      state: 'running',
      boot_id: start.bootId,
      started_at: start.startedAt,
      finished_at: null,
      duration_ms: null,
      error: null,
      repairs: JSON.stringify(start.repairs),
      truncated: 0,
      is_retried: 0,
      result_bytes: null,
      output: null,
      log: null,
    })
    .execute();
}

/**
 * Inside the transaction that stores what came of it.
 * @throws Error when it has ended: somebody else has said how
 */
export async function finishExecution(db: Db, id: string, end: ExecutionEnd): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('tool_executions')
    .set({
      state: end.state,
      finished_at: end.finishedAt,
      duration_ms: end.durationMs,
      error: end.error,
      truncated: end.truncated ? 1 : 0,
      result_bytes: end.resultBytes,
      output: end.output,
      log: end.log,
    })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error('The run of the tool has ended already.');
}

/** It is run again with answers that people have to give. Inside the transaction that ends its run. */
export async function askAgain(
  db: Db,
  { sessionId, messageId, callIndex }: CallKey,
  asks: StoredAsks,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('tool_calls')
    .set({ state: 'pending', mcp_state: JSON.stringify(asks) })
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error('The tool call runs no more.');
}

/**
 * Nobody will ever hear how the attempt of a call ended that still runs: one that only reads has failed, the outcome of
 * every other is unknown. Inside the transaction that answers the call.
 */
export async function abandonExecution(
  db: Db,
  { sessionId, messageId, callIndex }: CallKey,
  end: { readonly finishedAt: string; readonly error: string },
): Promise<void> {
  await db
    .updateTable('tool_executions')
    .set({
      state: sql<'failed' | 'unknown'>`case when read_only = 1 then 'failed' else 'unknown' end`,
      finished_at: end.finishedAt,
      error: end.error,
    })
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .where('state', '=', 'running')
    .execute();
}

/** A person wants a call run again whose outcome is unknown. Inside the transaction that starts it. */
export async function reopenCall(db: Db, { sessionId, messageId, callIndex }: CallKey): Promise<void> {
  await db
    .updateTable('tool_calls')
    .set({ state: 'pending' })
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .where('state', '=', 'unknown')
    .execute();
  await db
    .updateTable('tool_executions')
    .set({ is_retried: 1 })
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .where('state', '=', 'unknown')
    .execute();
}

/** Digests of the executions of a session whose outcome nobody knows, and that no person wanted run again. */
export async function listUnknownDigests(db: Db, sessionId: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('tool_executions')
    .select('digest')
    .where('session_id', '=', sessionId)
    .where('state', '=', sql.lit('unknown'))
    .where('is_retried', '=', sql.lit(0))
    .execute();
  return new Set(rows.map(({ digest }) => digest));
}

/** The attempt of a call that runs; null: none does. */
export async function findRunningExecution(
  db: Db,
  { sessionId, messageId, callIndex }: CallKey,
): Promise<{ readonly id: string; readonly startedAt: string } | null> {
  const row = await db
    .selectFrom('tool_executions')
    .select(['id', 'started_at'])
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('call_index', '=', callIndex)
    .where('state', '=', 'running')
    .executeTakeFirst();
  return row === undefined ? null : { id: row.id, startedAt: row.started_at };
}
