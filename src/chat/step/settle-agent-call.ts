// A call of `agent`: a run of its own, whose end is the result. Start and end are transactions of both turns.
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { type ExecutionEnd, findRunningExecution, startExecution } from '../../store/tool-executions.ts';
import { type CallResult, failure, success } from './call-result.ts';
import type { CallToRun } from './read-round.ts';
import { afterRun } from './repetition.ts';
import { resultLimit } from './shorten-result.ts';
import { type Round, type Settled, storeIn, storeResults } from './store-results.ts';
import { resultEvents } from './told-calls.ts';

export function isAgentCall({ plan }: CallToRun): boolean {
  return plan.ready.tool.source.name.kind === 'agent';
}

/** @throws TurnSuspended; what ends the run and its parent; what the store throws */
export async function* settleAgentCall(
  round: Round,
  planned: CallToRun,
): AsyncGenerator<readonly TurnEvent[], void> {
  const { deps, turn, progress, messageId } = round;
  const { call, callIndex, hasBegun, plan } = planned;
  const key = { sessionId: turn.live.sessionId, messageId, callIndex };
  const begun = hasBegun ? await findRunningExecution(deps.db, key) : null;
  const id = begun?.id ?? `exec_${deps.newId(12)}`;
  const startedAt = begun?.startedAt ?? deps.now();
  const settle = (result: CallResult): Settled => ({
    planned,
    result,
    execution: { id, end: endOf(result, { startedAt, finishedAt: deps.now() }) },
  });
  let stored: { readonly place: PathPlace; readonly settled: Settled } | null = null;
  const refusal =
    turn.runAgent === null
      ? 'An agent cannot call agents.'
      : yield* turn.runAgent(turn, {
          call: { messageId, callIndex, callId: call.id },
          arguments: planned.arguments,
          hasBegun,
          resultLimit: resultLimit(deps, turn, progress),
          async onStart(db) {
            const { tool, digest, repairs } = plan.ready;
            const start = { id, bootId: deps.bootId, startedAt, tool, digest, repairs };
            await startExecution(db, key, { ...start, arguments: planned.arguments });
          },
          async onEnd(db, { success: isSuccess, text }) {
            const settled = settle(isSuccess ? success(text) : failure(text));
            stored = { place: await storeIn(db, round, [settled]), settled };
          },
        });
  if (refusal !== null) {
    const settled = { planned, result: failure(refusal), execution: null };
    await storeResults(round, [settled]);
    yield resultEvents(settled, round.askedIndex);
    return;
  }
  const end =
    stored ?? (await storeLost(round, settle(failure('the agent was lost: its end could not be stored'))));
  progress.tip = end.place;
  progress.lastRun = afterRun(progress.lastRun, plan.ready, end.settled.result);
}

async function storeLost(round: Round, settled: Settled) {
  await storeResults(round, [settled]);
  return { place: round.progress.tip, settled };
}

function endOf(
  { success: isSuccess, text }: CallResult,
  { startedAt, finishedAt }: { readonly startedAt: string; readonly finishedAt: string },
): ExecutionEnd {
  return {
    state: isSuccess ? 'succeeded' : 'failed',
    finishedAt,
    durationMs: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)),
    error: isSuccess ? null : text,
    truncated: false,
    resultBytes: Buffer.byteLength(text),
    output: null,
    log: null,
  };
}
