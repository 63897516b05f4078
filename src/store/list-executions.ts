// The journal of tools, read: as clients see it.
import { sql } from 'kysely';
import type {
  Execution,
  ExecutionState,
  ExecutionWithLog,
  ToolCounts,
  ToolStats,
} from '../contract/tool-execution.ts';
import type { Db } from './database.ts';
import { parseStored } from './parse-stored.ts';

export interface ExecutionFilter {
  readonly tool: string | null;
  readonly sessionId: string | null;
  readonly state: ExecutionState | null;
}

export interface ExecutionPosition {
  readonly startedAt: string;
  readonly id: string;
}

/** Newest first. */
export async function listExecutions(
  db: Db,
  filter: ExecutionFilter,
  page: { readonly limit: number; readonly before: ExecutionPosition | null },
): Promise<Execution[]> {
  let query = executionQuery(db)
    .orderBy('tool_executions.started_at', 'desc')
    .orderBy('tool_executions.id')
    .limit(page.limit);
  if (filter.tool !== null) query = query.where('tool_executions.tool', '=', filter.tool);
  if (filter.sessionId !== null) query = query.where('tool_executions.session_id', '=', filter.sessionId);
  if (filter.state !== null) query = query.where('tool_executions.state', '=', filter.state);
  const { before } = page;
  if (before !== null) {
    query = query
      .where('tool_executions.started_at', '<=', before.startedAt)
      .where((is) =>
        is.or([
          is('tool_executions.started_at', '<', before.startedAt),
          is('tool_executions.id', '>', before.id),
        ]),
      );
  }
  return (await query.execute()).map(toExecution);
}

export async function findExecution(db: Db, id: string): Promise<ExecutionWithLog | null> {
  const row = await executionQuery(db)
    .select('tool_executions.log')
    .where('tool_executions.id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : { ...toExecution(row), log: row.log };
}

/**
 * The whole text of what an execution gave: its result, or what went wrong; empty while it runs.
 * @param sessionId of this session alone; null: whichever it is
 * @returns null where there is no such execution
 */
export async function findExecutionOutput(
  db: Db,
  id: string,
  sessionId: string | null = null,
): Promise<string | null> {
  let query = callOf(db)
    .leftJoin('messages', (join) =>
      join
        .onRef('messages.session_id', '=', 'tool_calls.session_id')
        .onRef('messages.id', '=', 'tool_calls.result_message_id'),
    )
    .select(['tool_executions.state', 'tool_executions.output', 'tool_executions.error', 'messages.content'])
    .where('tool_executions.id', '=', id);
  if (sessionId !== null) query = query.where('tool_executions.session_id', '=', sessionId);
  const row = await query.executeTakeFirst();
  if (row === undefined) return null;
  // A call that was run again is answered by its last run.
  const answer = row.state === 'succeeded' ? row.content : null;
  return row.output ?? row.error ?? answer ?? '';
}

/** Of all that have ended, by the names of the tools. */
export async function readToolStats(db: Db): Promise<ToolStats> {
  const { rows } = await sql<{ tool: string; total: number; successful: number; timed: number; ms: number }>`
    select tool, count(*) as total, count(*) filter (where state = 'succeeded') as successful,
      count(duration_ms) as timed, coalesce(sum(duration_ms), 0) as ms
    from tool_executions
    where state in ('succeeded', 'failed', 'unknown') and ${isSeen}
    group by tool order by tool
  `.execute(db);
  const whole = { total: 0, successful: 0, timed: 0, ms: 0 };
  const byTool: [string, ToolCounts][] = [];
  for (const { tool, ...counts } of rows) {
    byTool.push([tool, toCounts(counts)]);
    for (const key of ['total', 'successful', 'timed', 'ms'] as const) whole[key] += counts[key];
  }
  return { ...toCounts(whole), by_tool: Object.fromEntries(byTool) };
}

function toCounts(counts: { total: number; successful: number; timed: number; ms: number }): ToolCounts {
  const { total, successful, timed, ms } = counts;
  const average_time = timed === 0 ? 0 : ms / timed / 1000;
  return { total_executions: total, successful, failed: total - successful, average_time };
}

/** Of a session that is hidden nobody hears. */
const isSeen = sql<boolean>`(tool_executions.session_id is null or tool_executions.session_id not in
  (select id from session_rows where hidden is not null))`;

/** With the call that it was for. */
function callOf(db: Db) {
  return db
    .selectFrom('tool_executions')
    .leftJoin('tool_calls', (join) =>
      join
        .onRef('tool_calls.session_id', '=', 'tool_executions.session_id')
        .onRef('tool_calls.message_id', '=', 'tool_executions.message_id')
        .onRef('tool_calls.call_index', '=', 'tool_executions.call_index'),
    )
    .where(isSeen);
}

/** Without what may be large: output and log. */
function executionQuery(db: Db) {
  return callOf(db)
    .leftJoin('messages', (join) =>
      join
        .onRef('messages.session_id', '=', 'tool_executions.session_id')
        .onRef('messages.id', '=', 'tool_executions.message_id'),
    )
    .select([
      'tool_executions.id',
      'tool_executions.session_id',
      'messages.turn_id',
      'tool_executions.message_id',
      'tool_executions.call_index',
      'tool_calls.call_id',
      'tool_executions.tool',
      'source',
      'tool_executions.state',
      'attempt',
      'origin',
      'tool_executions.arguments',
      'tool_executions.repairs',
      'error',
      'truncated',
      'result_bytes',
      'duration_ms',
      'started_at',
      'finished_at',
    ]);
}

type ExecutionRow = Awaited<ReturnType<ReturnType<typeof executionQuery>['execute']>>[number];

function toExecution(row: ExecutionRow): Execution {
  const { state } = row;
  return {
    execution_id: row.id,
    session_id: row.session_id,
    turn_id: row.turn_id,
    message_id: row.message_id,
    call_index: row.call_index,
    tool_call_id: row.call_id,
    tool_name: row.tool,
    source: parseStored(row.source),
    state,
    attempt: row.attempt,
    origin: row.origin,
    arguments: parseStored(row.arguments),
    repairs: parseStored(row.repairs),
    success: state === 'running' || state === 'asked' ? null : state === 'succeeded',
    error: row.error,
    truncated: row.truncated === 1,
    result_bytes: row.result_bytes,
    duration_ms: row.duration_ms,
    started_at: row.started_at,
    finished_at: row.finished_at,
  };
}
