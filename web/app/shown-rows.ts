// What is shown of the path: results stand with their calls, and a line where the memory of the model begins.
import type { ChatState } from '../../src/client/chat-store.ts';
import type { Message, ToolView } from '../../src/client/index.ts';

type Rows = ChatState['rows'];

/** A result whose call is shown. */
export function isResult(rows: Rows, index: number): boolean {
  let at = index;
  while (rows.get(at)?.role === 'tool') at -= 1;
  return at < index && rows.get(at)?.tool_calls != null;
}

/** A part of an answer: what comes before it was cut, and was gone on with. */
export function goesOn(rows: Rows, index: number): boolean {
  return rows.get(index)?.role === 'assistant' && isCut(rows.get(index - 1));
}

export function isCut(row: Message | undefined): boolean {
  return row?.role === 'assistant' && (row.status === 'partial' || row.finish_reason === 'length');
}

/** Of the calls of a message, in their order. */
export function resultsOf(rows: Rows, index: number): readonly Message[] {
  if (rows.get(index)?.tool_calls == null) return [];
  const results: Message[] = [];
  for (let next = rows.get(index + 1); next?.role === 'tool'; next = rows.get(index + 1 + results.length))
    results.push(next);
  return results;
}

/** Calls of the running turn that no row shows yet. */
export function openCalls({ rows, turn }: ChatState): readonly ToolView[] {
  if (turn === null) return [];
  const stored = [...rows.values()].filter(
    (row) => row.turn_id === turn.turnId && row.message_id !== turn.messageId,
  );
  return turn.toolCalls.slice(stored.flatMap((row) => row.tool_calls ?? []).length);
}

/** How many messages the newest prompt left out. */
export function leftOutOf({ session, turn }: ChatState): number {
  return (turn?.context ?? session?.context)?.messages_left_out ?? 0;
}

/**
 * Before which message the newest prompt began, if it left any out. Nobody knows before the first row was read, which
 * may be the system prompt.
 */
export function cutOf(state: ChatState): { readonly index: number; readonly count: number } | null {
  const count = leftOutOf(state);
  const first = state.rows.get(0);
  if (count === 0 || first === undefined) return null;
  return { index: count + (first.role === 'system' ? 1 : 0), count };
}
