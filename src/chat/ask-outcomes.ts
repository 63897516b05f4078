// After a crash or a kill: tools that were running may have taken effect, and nobody knows. The call is not made again
// by itself, and nobody is told that it succeeded: a person says what became of it, and the turn waits for that.
import type { NewApproval } from '../approvals/draft-approval.ts';
import { type LostExecution, listLostExecutions, loseExecution } from '../store/lost-executions.ts';
import { listUnfinishedTurns, type UnfinishedTurn } from '../store/turns.ts';
import { moveTurn } from '../store/waiting-turns.ts';
import { cutRuns } from './step/answer-open-calls.ts';
import type { TurnDeps } from './turn-deps.ts';

export type AskDeps = Pick<TurnDeps, 'db' | 'now' | 'approvals' | 'bootId'>;

/**
 * Turns in which such a tool ran wait from now on.
 * @param eventGap what watchers may have seen beyond the last checkpoint
 * @returns how many these are
 */
export async function askOutcomes(deps: AskDeps, eventGap: number): Promise<number> {
  const lost = Map.groupBy(await listLostExecutions(deps.db, deps.bootId), ({ turnId }) => turnId);
  let asked = 0;
  for (const turn of await listUnfinishedTurns(deps.db)) {
    const runs = lost.get(turn.id);
    // Those that only read run side by side with nothing else.
    if (turn.state !== 'running' || runs === undefined || runs.every(({ isReadOnly }) => isReadOnly))
      continue;
    await askAbout(deps, turn, { runs, lastEventId: turn.lastEventId + eventGap });
    asked += 1;
  }
  return asked;
}

/** One transaction: a turn that waits has its question. */
async function askAbout(
  { db, now, approvals }: AskDeps,
  turn: UnfinishedTurn,
  { runs, lastEventId }: { readonly runs: readonly LostExecution[]; readonly lastEventId: number },
): Promise<void> {
  const error = cutRuns('the server stopped').other;
  await db.transaction().execute(async (transaction) => {
    for (const run of runs) await loseExecution(transaction, run, { finishedAt: now(), error });
    await approvals.insert(
      transaction,
      runs.map((run) => questionOf(turn, run)),
    );
    await moveTurn(transaction, turn.id, { from: 'running', to: 'waiting', lastEventId });
  });
}

function questionOf(turn: UnfinishedTurn, run: LostExecution): NewApproval {
  return {
    kind: 'outcome',
    sessionId: turn.sessionId,
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
