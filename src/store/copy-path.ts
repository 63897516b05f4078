// Copies messages of a path into another session, row by row inside the database.
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { dialectOf } from './dialect/dialect-of.ts';

/** A message of a path, and about what it costs to copy it. */
export interface PathStep {
  readonly id: string;
  readonly bytes: number;
}

/** Messages looked up at once. */
const STRIDE = 500;

/** The path from its first message down to `headId`. What lies on it never changes, so it is read in slices. */
export async function listPathTo(db: Db, sessionId: string, headId: string): Promise<PathStep[]> {
  const path: PathStep[] = [];
  for (let next: string | null = headId; next !== null; ) {
    const rows: readonly (PathStep & { readonly parent_id: string | null })[] = (
      await sql<PathStep & { parent_id: string | null }>`
        with recursive path (id, parent_id, bytes, step) as (
          select id, parent_id, octet_length(content), 1 from messages where session_id = ${sessionId} and id = ${next}
          union all
          select parent.id, parent.parent_id, octet_length(parent.content), step + 1
          from messages as parent join path on parent.id = path.parent_id
          where parent.session_id = ${sessionId} and step < ${STRIDE}
        )
        select id, parent_id, bytes from path order by step
      `.execute(db)
    ).rows;
    for (const { id, bytes } of rows) path.push({ id, bytes });
    next = rows.at(-1)?.parent_id ?? null;
    await setImmediate();
  }
  return path.toReversed();
}

/** With their tool calls. @returns how many there were */
export async function copyMessages(
  db: Db,
  copy: { readonly from: string; readonly to: string; readonly ids: readonly string[] },
): Promise<number> {
  const { from, to } = copy;
  const { isAmong } = dialectOf(db);
  // A message that is still being written is a part in the copy: nobody goes on writing there.
  const { numAffectedRows } = await sql`
    insert into messages (
      session_id, id, parent_id, depth, active, role, content, thinking, timestamp, model, eval_count,
      prompt_eval_count, tool_calls, source_file, tool_name, tool_call_id, turn_id, status, finish_reason, images, extra, client_id
    )
    select
      ${to}, id, parent_id, depth, 1, role, content, thinking, timestamp, model, eval_count,
      prompt_eval_count, tool_calls, source_file, tool_name, tool_call_id, turn_id,
      case status when 'streaming' then 'partial' else status end, finish_reason, images, extra, client_id
    from messages
    where session_id = ${from} and ${isAmong('id', copy.ids)}
    order by depth
  `.execute(db);
  await sql`
    insert into tool_calls (session_id, message_id, call_index, call_id, name, arguments, tool, ran_arguments, origin, state, result_message_id, success, digest, verdict, rule, repairs)
    select ${to}, message_id, call_index, call_id, name, arguments, tool, ran_arguments, origin,
      case state when 'open' then state else 'done' end,
      case state when 'open' then null else coalesce(result_message_id, '') end,
      case state when 'open' then null else coalesce(success, 0) end, digest, verdict, rule, repairs
    from tool_calls
    where session_id = ${from} and ${isAmong('message_id', copy.ids)}
  `.execute(db);
  return Number(numAffectedRows ?? 0n);
}
