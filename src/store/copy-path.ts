// Copies a path into another session, row by row inside the database.
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { SYSTEM_DEPTH } from './messages.ts';

/** The system message and the path down to `headId` (null: an empty path), with their tool calls. */
export async function copyPath(
  db: Db,
  copy: { readonly from: string; readonly to: string; readonly headId: string | null },
): Promise<void> {
  const { from, to, headId } = copy;
  // A message that is still being written is a part in the copy: nobody goes on writing there.
  await sql`
    with recursive path (id, parent_id) as (
      select id, parent_id from messages where session_id = ${from} and id = ${headId}
      union all
      select parent.id, parent.parent_id from messages as parent join path on parent.id = path.parent_id
      where parent.session_id = ${from}
    )
    insert into messages (
      session_id, id, parent_id, depth, active, role, content, thinking, timestamp, model, eval_count,
      prompt_eval_count, tool_calls, source_file, tool_name, tool_call_id, turn_id, status, finish_reason, images, extra
    )
    select
      ${to}, id, parent_id, depth, 1, role, content, thinking, timestamp, model, eval_count,
      prompt_eval_count, tool_calls, source_file, tool_name, tool_call_id, turn_id,
      case status when 'streaming' then 'partial' else status end, finish_reason, images, extra
    from messages
    where session_id = ${from} and (depth = ${SYSTEM_DEPTH} or id in (select id from path))
    order by depth
  `.execute(db);
  await sql`
    insert into tool_calls (session_id, message_id, call_index, call_id, name, arguments, state, result_message_id, success)
    select ${to}, message_id, call_index, call_id, name, arguments, 'done', coalesce(result_message_id, ''), coalesce(success, 0)
    from tool_calls
    where session_id = ${from} and message_id in (select id from messages where session_id = ${to})
  `.execute(db);
}
