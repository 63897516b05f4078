// The calls of one answer, each run or answered, in the order in which the model made them: stored, then told.
import { setImmediate } from 'node:timers/promises';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { appendToPath } from '../../store/active-path.ts';
import { answerToolCall } from '../../store/tool-calls.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { type CallResult, notRun } from './call-result.ts';
import { type CallToRun, partsOf, type RoundCall } from './plan-round.ts';
import { afterRun, answerRepeated } from './repetition.ts';
import { nameOf, runCall } from './run-call.ts';
import { startSideBySide } from './side-by-side.ts';
import { type RunningTurn, stopText, type TurnProgress } from './turn-progress.ts';

/** Answered before others have a turn. */
const CALLS_AT_ONCE = 64;

type ProgressData = Extract<TurnEvent, { event: 'tool_progress' }>['data'];

interface Round {
  readonly deps: TurnDeps;
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
  /** Of the assistant message with the calls. */
  readonly messageId: string;
  /** How many of its calls have their result. */
  settled: number;
}

interface Settled {
  readonly planned: RoundCall;
  readonly result: CallResult;
  /** Null: nothing ran. */
  readonly executionId: string | null;
}

/**
 * Leaves the tip at the last result. A turn that is stopped meanwhile still answers every call: what ran has its
 * outcome, and what did not says so.
 * @throws what the store throws; the reason of the stop, once every call has its result
 */
export async function* settleRound(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  calls: readonly RoundCall[],
): AsyncGenerator<readonly TurnEvent[], void> {
  const { signal } = turn.live;
  const round: Round = { deps, turn, progress, messageId: progress.tip.id, settled: 0 };
  for (const part of partsOf(calls)) {
    if (signal.aborted) break;
    if ('run' in part) yield* runPart(round, part.run);
    else yield await answerAll(round, part.answered, ({ plan }) => plan.answer);
  }
  if (signal.aborted) {
    yield await answerAll(round, calls.slice(round.settled), ({ name }) => notRun(name, stopText(signal)));
  }
  signal.throwIfAborted();
  const data = { tool_count: calls.length, message: 'Processing tool results...' };
  yield [{ event: 'tool_continuation_start', data }];
}

async function answerAll<Call extends RoundCall>(
  round: Round,
  calls: readonly Call[],
  answer: (call: Call) => CallResult,
): Promise<TurnEvent[]> {
  const settled = calls.map((planned) => ({ planned, result: answer(planned), executionId: null }));
  await store(round, settled);
  return settled.flatMap((one) => [callEvent(one), resultEvent(one)]);
}

/** Calls that may run side by side; each is told when those before it have been. */
async function* runPart(
  round: Round,
  calls: readonly CallToRun[],
): AsyncGenerator<readonly TurnEvent[], void> {
  const [first, ...others] = calls;
  if (first === undefined) return;
  const repeated = answerRepeated(round.progress.lastRun, first.plan.ready);
  if (repeated === null) {
    yield* runAll(round, calls);
    return;
  }
  yield await answerAll(round, [first], () => repeated);
  if (!round.turn.live.signal.aborted) yield* runPart(round, others);
}

async function* runAll(
  round: Round,
  calls: readonly CallToRun[],
): AsyncGenerator<readonly TurnEvent[], void> {
  const { deps, turn, progress, messageId } = round;
  const { live } = turn;
  /** The call that was told last; what others say of their progress is not heard. */
  let told: CallToRun | null = null;
  const runs = calls.map((planned) => ({ planned, executionId: `exec_${deps.newId(12)}` }));
  const tasks = runs.map((run) => () => {
    const tell = (data: ProgressData) => {
      if (told === run.planned && !live.signal.aborted) live.append([{ event: 'tool_progress', data }]);
    };
    return runCall(deps, turn, progress, { ...run, messageId, tell });
  });
  let started: readonly Promise<CallResult>[] = [];
  for (const [index, run] of runs.entries()) {
    if (index > 0 && started[index] === undefined) return;
    yield [callEvent(run)];
    told = run.planned;
    if (index === 0) {
      const atOnce = deps.toolLimits.maxParallel;
      started = startSideBySide(tasks, { atOnce, signal: live.signal });
    }
    // Told already: stopped just now, it has not begun.
    const result = (await started[index]) ?? notRun(run.planned.name, stopText(live.signal));
    told = null;
    await store(round, [{ ...run, result }]);
    progress.lastRun = afterRun(progress.lastRun, run.planned.plan.ready, result);
    yield [resultEvent({ ...run, result })];
  }
}

/** One transaction: either every call has its result, or none has. */
async function store(round: Round, settled: readonly Settled[]): Promise<void> {
  const { deps, turn, progress, messageId } = round;
  const { sessionId, turnId } = turn.live;
  progress.tip = await deps.db.transaction().execute(async (db) => {
    let place = progress.tip;
    for (const [position, { planned, result }] of settled.entries()) {
      const { call, callIndex, name } = planned;
      const id = deps.newId(10);
      place = await appendToPath(db, place, {
        sessionId,
        id,
        role: 'tool',
        content: result.content,
        timestamp: deps.now(),
        status: 'complete',
        toolName: name,
        toolCallId: call.id,
        turnId,
        images: result.images,
      });
      const { success } = result;
      await answerToolCall(db, { sessionId, messageId, callIndex }, { messageId: id, success });
      // The driver is synchronous: many calls must not hold everybody else.
      if (position % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await setImmediate();
    }
    return place;
  });
  round.settled += settled.length;
}

function callEvent({ planned, executionId }: Pick<Settled, 'planned' | 'executionId'>): TurnEvent {
  const data = { ...nameOf(planned), execution_id: executionId, arguments: { ...planned.arguments } };
  return { event: 'tool_call', data };
}

function resultEvent({ planned, result, executionId }: Settled): TurnEvent {
  const { success, text } = result;
  const error = success ? null : text;
  const told = { success, result: success ? text : '', error, error_message: error };
  return { event: 'tool_result', data: { ...nameOf(planned), execution_id: executionId, ...told } };
}
