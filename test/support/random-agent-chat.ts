// Random agent chats of a session, written straight into the store: random sessions in which agents worked.
import fc from 'fast-check';
import { AGENT_PHASES } from '../../src/contract/turn.ts';
import type { Db } from '../../src/store/database.ts';
import { randomSession, storeRandomSession } from './random-session.ts';

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

export const randomAgentChat = fc.record({
  session: randomSession,
  agent: maybe(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)),
  runs: fc.array(
    fc.record({
      phase: maybe(fc.constantFrom(...AGENT_PHASES)),
      round: maybe(fc.nat()),
      activeMs: maybe(fc.nat()),
      tokens: maybe(fc.nat()),
      isCalled: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});
type RandomAgentChat = typeof randomAgentChat extends fc.Arbitrary<infer T> ? T : never;

/** Its runs that a call started have their calls in `parent`, each one of its own. @returns the id */
export async function storeRandomAgentChat(db: Db, chat: RandomAgentChat, parent: string): Promise<string> {
  const id = await storeRandomSession(db, chat.session);
  await db
    .updateTable('session_rows')
    .set({ kind: 'agent', agent_name: chat.agent, parent_session_id: parent })
    .where('id', '=', id)
    .execute();
  const parents = await db.selectFrom('turns').select('id').where('session_id', '=', parent).execute();
  const turns = await db.selectFrom('turns').select('id').where('session_id', '=', id).execute();
  for (const [index, turn] of turns.entries()) {
    const run = chat.runs[index % chat.runs.length];
    const caller = parents[index % (parents.length || 1)];
    if (run === undefined) continue;
    const { activeMs, isCalled, ...columns } = run;
    await db
      .updateTable('turns')
      .set({
        ...columns,
        agent_name: chat.agent,
        active_ms: activeMs,
        ...(isCalled && {
          parent_turn_id: caller?.id ?? 'turn_elsewhere',
          parent_session_id: parent,
          parent_message_id: `m-${id}`,
          parent_call_index: index,
        }),
      })
      .where('id', '=', turn.id)
      .execute();
  }
  return id;
}
