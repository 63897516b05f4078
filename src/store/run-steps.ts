// What a run of an agent has said and done so far, from its rows.
import type { Db } from './database.ts';
import { parseStored } from './parse-stored.ts';

/** In the order in which it happened. */
export type StoredStep =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }
  | { readonly kind: 'result'; readonly text: string }
  /** What a person has said meanwhile: another plan. */
  | { readonly kind: 'said'; readonly text: string };

interface StoredCall {
  readonly function: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
}

/** Of one turn of an agent chat, without its instruction. */
export async function listRunSteps(db: Db, chatId: string, turnId: string): Promise<StoredStep[]> {
  const rows = await db
    .selectFrom('messages')
    .select(['role', 'content', 'tool_calls'])
    .where('session_id', '=', chatId)
    .where('active', '=', 1)
    .where('turn_id', '=', turnId)
    .where('role', 'in', ['user', 'assistant', 'tool'])
    .orderBy('depth')
    .execute();
  const begun = rows.findIndex(({ role }) => role !== 'user');
  return rows.slice(Math.max(0, begun)).flatMap(({ role, content, tool_calls: calls }): StoredStep[] => {
    if (role === 'user') return begun === -1 ? [] : [{ kind: 'said', text: content }];
    if (role === 'tool') return [{ kind: 'result', text: content }];
    const asked: readonly StoredCall[] = calls === null ? [] : parseStored(calls);
    return [
      { kind: 'text', text: content },
      ...asked.map(({ function: call }) => ({ kind: 'call' as const, ...call })),
    ];
  });
}
