// Tool call rows: what a model asked for. A call without a result is the pending state.
import type { EngineToolCall } from '../contract/engine.ts';
import type { Db } from './database.ts';
import { parseStored } from './parse-stored.ts';

export interface OpenToolCall {
  readonly messageId: string;
  readonly callIndex: number;
  readonly call: EngineToolCall;
  /** Of the tool that was meant. */
  readonly name: string;
  /** It was run, and nobody knows how that ended. */
  readonly hasBegun: boolean;
  /** The tool changes nothing: that it was cut had no effect. */
  readonly isReadOnly: boolean;
}

export interface NewToolCall extends EngineToolCall {
  /** The tool that it was taken for, and what that runs with; missing: as the model wrote. */
  readonly meant?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
  /** What was decided about it; missing: nothing was. */
  readonly plan?: CallPlan;
}

/** What is to become of a call, decided before any call of its round runs. */
export interface CallPlan {
  /** client: whoever brought the tool runs it. */
  readonly verdict: 'run' | 'ask' | 'refuse' | 'client';
  /** What spoke for it. */
  readonly rule: string;
  /** SHA-256 of tool, fingerprint and arguments; null: it cannot run. */
  readonly digest: string | null;
  /** What was changed in name and arguments. */
  readonly repairs: readonly string[];
}

export async function insertToolCalls(
  db: Db,
  message: { readonly sessionId: string; readonly messageId: string },
  calls: readonly NewToolCall[],
): Promise<void> {
  if (calls.length === 0) return;
  await db
    .insertInto('tool_calls')
    .values(
      calls.map((call, callIndex) => ({
        session_id: message.sessionId,
        message_id: message.messageId,
        call_index: callIndex,
        call_id: call.id,
        name: call.name,
        arguments: JSON.stringify(call.arguments),
        state: 'pending' as const,
        result_message_id: null,
        success: null,
        origin: call.origin ?? null,
        ...meantColumns(call),
        ...planColumns(call),
      })),
    )
    .execute();
}

/** Only what is other than the model wrote it. */
function meantColumns({ name, arguments: given, meant }: NewToolCall) {
  const args = JSON.stringify(meant?.arguments);
  return {
    tool: meant === undefined || meant.name === name ? null : meant.name,
    ran_arguments: args === undefined || args === JSON.stringify(given) ? null : args,
  };
}

function planColumns({ plan }: NewToolCall) {
  return {
    verdict: plan?.verdict ?? null,
    rule: plan?.rule ?? null,
    digest: plan?.digest ?? null,
    repairs: plan === undefined ? null : JSON.stringify(plan.repairs),
  };
}

/** A call of a round that has no result yet. */
export interface UnsettledCall {
  readonly callIndex: number;
  /** As the model made it. */
  readonly call: EngineToolCall;
  /** Of the tool that was meant. */
  readonly name: string;
  /** With which it would run. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly state: 'pending' | 'running' | 'unknown';
  /** Null: it was stored by an earlier version. */
  readonly plan: CallPlan | null;
  /** An earlier run of it waits for answers; null: none does. */
  readonly asks: StoredAsks | null;
}

/** What a tool wants back when it is run again, and which approvals have the answers. */
export interface StoredAsks {
  readonly state: string | null;
  readonly questions: readonly { readonly key: string; readonly confirmation_id: string }[];
}

/** The calls of one message that have no result, in call order. */
export async function listUnsettledCalls(
  db: Db,
  sessionId: string,
  messageId: string,
): Promise<UnsettledCall[]> {
  const rows = await db
    .selectFrom('tool_calls')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .where('result_message_id', 'is', null)
    .orderBy('call_index')
    .execute();
  return rows.map((row) => ({
    callIndex: row.call_index,
    call: { id: row.call_id, name: row.name, arguments: parseStored(row.arguments) },
    name: row.tool ?? row.name,
    arguments: shownArguments(row.ran_arguments ?? row.arguments),
    state: row.state === 'running' || row.state === 'unknown' ? row.state : 'pending',
    asks: row.mcp_state === null ? null : parseStored(row.mcp_state),
    plan:
      row.verdict === null
        ? null
        : {
            verdict: row.verdict,
            rule: row.rule ?? '',
            digest: row.digest,
            repairs: row.repairs === null ? [] : parseStored(row.repairs),
          },
  }));
}

/** How many calls a message has, settled or not. */
export async function countCalls(db: Db, sessionId: string, messageId: string): Promise<number> {
  const { count } = await db
    .selectFrom('tool_calls')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('session_id', '=', sessionId)
    .where('message_id', '=', messageId)
    .executeTakeFirstOrThrow();
  return count;
}

/** Calls of a session that nobody has answered yet and no client has, in the order in which the model made them. */
export async function listOpenToolCalls(db: Db, sessionId: string): Promise<OpenToolCall[]> {
  const rows = await db
    .selectFrom('tool_calls')
    .innerJoin('messages', (join) =>
      join
        .onRef('messages.session_id', '=', 'tool_calls.session_id')
        .onRef('messages.id', '=', 'tool_calls.message_id'),
    )
    .select(['tool_calls.message_id', 'call_index', 'call_id', 'name', 'tool', 'arguments', 'state'])
    .select((is) =>
      is
        .selectFrom('tool_executions')
        .select('read_only')
        .whereRef('tool_executions.session_id', '=', 'tool_calls.session_id')
        .whereRef('tool_executions.message_id', '=', 'tool_calls.message_id')
        .whereRef('tool_executions.call_index', '=', 'tool_calls.call_index')
        .where('tool_executions.state', '=', 'running')
        .as('read_only'),
    )
    .where('tool_calls.session_id', '=', sessionId)
    .where('tool_calls.state', '!=', 'open')
    .where('result_message_id', 'is', null)
    .orderBy('messages.seq')
    .orderBy('call_index')
    .execute();
  return rows.map((row) => ({
    messageId: row.message_id,
    callIndex: row.call_index,
    call: { id: row.call_id, name: row.name, arguments: parseStored(row.arguments) },
    name: row.tool ?? row.name,
    hasBegun: row.state !== 'pending',
    isReadOnly: row.read_only === 1,
  }));
}

/** The calls of some messages by message id, in call order: prompts echo their ids to the engine. */
export async function listToolCalls(
  db: Db,
  sessionId: string,
  messageIds: readonly string[],
): Promise<Map<string, EngineToolCall[]>> {
  const calls = new Map<string, EngineToolCall[]>();
  if (messageIds.length === 0) return calls;
  const rows = await db
    .selectFrom('tool_calls')
    .select(['message_id', 'call_id', 'name', 'arguments'])
    .where('session_id', '=', sessionId)
    .where('message_id', 'in', messageIds)
    .orderBy('call_index')
    .execute();
  for (const row of rows) {
    const list = calls.get(row.message_id) ?? [];
    list.push({ id: row.call_id, name: row.name, arguments: parseStored(row.arguments) });
    calls.set(row.message_id, list);
  }
  return calls;
}

export async function answerToolCall(
  db: Db,
  call: { readonly sessionId: string; readonly messageId: string; readonly callIndex: number },
  result: {
    readonly messageId: string;
    readonly success: boolean;
    /** Those that a person has changed; null, or missing: nobody has. */
    readonly ranArguments?: Readonly<Record<string, unknown>> | null;
  },
): Promise<void> {
  const { ranArguments } = result;
  await db
    .updateTable('tool_calls')
    .set({
      state: 'done',
      mcp_state: null,
      result_message_id: result.messageId,
      success: result.success ? 1 : 0,
      ...(ranArguments && { ran_arguments: JSON.stringify(ranArguments) }),
    })
    .where('session_id', '=', call.sessionId)
    .where('message_id', '=', call.messageId)
    .where('call_index', '=', call.callIndex)
    .execute();
}

/** What was no JSON object has none to show. */
export function shownArguments(stored: string): Record<string, unknown> {
  const given: Record<string, unknown> | string = parseStored(stored);
  return typeof given === 'string' ? {} : given;
}
