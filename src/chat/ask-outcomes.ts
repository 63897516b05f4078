// After a crash or a kill: tools that were running may have taken effect, and nobody knows. The call is not made again
// by itself, and nobody is told that it succeeded: a person says what became of it, and the turn waits for that.
import type { NewApproval } from '../approvals/draft-approval.ts';
import { changeSession } from '../store/lock-session.ts';
import { type LostExecution, listLostExecutions, loseExecution } from '../store/lost-executions.ts';
import { cancelQuestionsOfTurn } from '../store/settle-approvals.ts';
import { listUnfinishedTurns, type UnfinishedTurn } from '../store/turns.ts';
import { moveTurn } from '../store/waiting-turns.ts';
import { cutRuns } from './step/answer-open-calls.ts';
import type { TurnDeps } from './turn-deps.ts';

export type AskDeps = Pick<TurnDeps, 'db' | 'now' | 'approvals' | 'bootId'>;

/**
 * Turns in which such a tool ran wait from now on.
 * @param taken those that another server has left; null: all
 * @param eventGap what watchers may have seen beyond the last checkpoint
 * @returns how many these are
 */
export async function askOutcomes(
  deps: AskDeps,
  eventGap: number,
  taken: ReadonlyMap<string, unknown> | null,
): Promise<number> {
  const of = taken === null ? { before: deps.bootId } : { turnIds: [...taken.keys()] };
  const lost = Map.groupBy(await listLostExecutions(deps.db, of), ({ turnId }) => turnId);
  const all = await listUnfinishedTurns(deps.db);
  const turns = taken === null ? all : all.filter(({ id }) => taken.has(id));
  let asked = 0;
  for (const turn of turns) {
    const runs = lost.get(turn.id);
    // Those that only read run side by side with nothing else.
    if (turn.state !== 'running' || runs === undefined || runs.every(({ isReadOnly }) => isReadOnly))
      continue;
    // The turn that has started an agent waits with it.
    const parent = turns.find(({ id }) => id === turn.run?.parent?.turnId);
    await askAbout(deps, parent === undefined ? [turn] : [turn, parent], { runs, eventGap });
    asked += 1;
  }
  return asked;
}

/** One transaction: a turn that waits has its question. */
async function askAbout(
  { db, now, approvals }: AskDeps,
  turns: readonly [UnfinishedTurn, ...UnfinishedTurn[]],
  { runs, eventGap }: { readonly runs: readonly LostExecution[]; readonly eventGap: number },
): Promise<void> {
  const [turn] = turns;
  const error = cutRuns('the server stopped').other;
  await changeSession(db, turn.sessionId, async (transaction) => {
    await cancelQuestionsOfTurn(transaction, turn.id, now());
    for (const run of runs) await loseExecution(transaction, run, { finishedAt: now(), error });
    await approvals.insert(
      transaction,
      runs.map((run) => questionOf(turn, run)),
    );
    for (const { id, lastEventId } of turns) {
      const move = { from: 'running', to: 'waiting', lastEventId: lastEventId + eventGap } as const;
      await moveTurn(transaction, id, move);
    }
  });
}

function questionOf(turn: UnfinishedTurn, run: LostExecution): NewApproval {
  return {
    kind: 'outcome',
    ...personOf(turn),
    turnId: turn.id,
    messageId: run.messageId,
    callIndex: run.callIndex,
    toolCallId: run.callId,
    toolName: run.tool,
    arguments: run.arguments,
    digest: run.digest,
    fingerprint: run.fingerprint,
    rule: 'unknown_outcome',
    previous: { attempt: run.attempt, started_at: run.startedAt },
  };
}

/** Where the person is who is asked. */
function personOf({ sessionId, run }: UnfinishedTurn) {
  if (run === null) return { sessionId };
  const agent = { agentName: run.agentName, agentSessionId: sessionId };
  return { sessionId: run.parent?.sessionId ?? sessionId, ...agent };
}
