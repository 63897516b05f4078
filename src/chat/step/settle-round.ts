// The calls of one answer, each run or answered, in the order in which the model made them: stored, then told. What a
// person has to decide is waited for when its turn has come.
import type { TurnEvent } from '../../contract/turn-event.ts';
import { countCalls } from '../../store/tool-calls.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { personAsker } from './ask-person.ts';
import { awaitDecision, goOn } from './await-decision.ts';
import { type CallResult, failure, notRun, notRunAgain, withNote } from './call-result.ts';
import { type CallToRun, changedSince, isHanded, partsOf, type RoundCall, readRound } from './read-round.ts';
import { afterRun, answerRepeated, isRepeated } from './repetition.ts';
import { type BegunCall, beginCall, endBeforeRun, type RunEnd, runCall } from './run-call.ts';
import { isAgentCall, settleAgentCall } from './settle-agent-call.ts';
import { startSideBySide } from './side-by-side.ts';
import { type Round, storeQuestions, storeResults } from './store-results.ts';
import { callEvent, editNote, resultEvents } from './told-calls.ts';
import { type RunningTurn, stopText, type TurnProgress } from './turn-progress.ts';

type ProgressData = Extract<TurnEvent, { event: 'tool_progress' }>['data'];

/**
 * Goes on with a round where it is, and leaves the tip at its last result. A turn that is stopped meanwhile still
 * answers every call: what ran has its outcome, and what did not says so.
 * @param start the assistant message with the calls; and whether another process began with them: the first that is
 * open was asked about then
 * @returns the calls that are left to the client
 * @throws what the store throws; the reason of the stop, once every call has its result; TurnSuspended
 */
export async function* settleRound(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  start: { readonly messageId: string; readonly isResumed: boolean },
): AsyncGenerator<readonly TurnEvent[], readonly RoundCall[]> {
  const { live } = turn;
  const { messageId, isResumed } = start;
  const round: Round = { deps, turn, progress, messageId, askedIndex: null };
  const readOurs = async () => (await readRound(round, messageId)).filter((call) => !isHanded(call));
  let calls = await readOurs();
  if (isResumed) round.askedIndex = calls[0]?.callIndex ?? null;
  let isTold = isResumed;
  while (calls.length > 0 && !live.signal.aborted) {
    for (const part of partsOf(calls)) {
      if (live.signal.aborted) break;
      if ('undecided' in part) {
        const { callIndex, approval } = part.undecided;
        const wasAsked = round.askedIndex === callIndex && approval?.kind === 'tool';
        if (yield* awaitDecision(deps, turn, part.undecided, wasAsked)) round.askedIndex = callIndex;
        isTold = true;
        // Others may have been decided, too.
        break;
      }
      // A run that has begun waits for a person, and goes on itself.
      if (!('run' in part && part.run.some(({ hasBegun }) => hasBegun))) yield* goOn(deps, turn);
      if (live.signal.aborted) break;
      if (!isTold) yield [{ event: 'status', data: { phase: 'running_tool' } }];
      isTold = true;
      if ('run' in part) {
        // It is its turn again when people have answered.
        if (yield* runPart(round, part.run)) break;
      } else yield await answerAll(round, part.answered, ({ plan }) => plan.answer);
    }
    calls = await readOurs();
  }
  if (live.signal.aborted) {
    // A run of an agent ends itself, and its call with it.
    const begun = (await readRound(round, messageId)).filter(isBegun);
    for (const call of begun) yield* settleAgentCall(round, call);
    yield await answerStopped(round);
  }
  live.signal.throwIfAborted();
  // Another process may have settled the last call.
  yield* goOn(deps, turn);
  const handed = await readRound(round, messageId);
  if (handed.length > 0) return handed;
  const count = await countCalls(deps.db, live.sessionId, messageId);
  const data = { tool_count: count, message: 'Processing tool results...' };
  yield [{ event: 'tool_continuation_start', data }];
  return [];
}

function isBegun(call: RoundCall): call is CallToRun {
  return call.hasBegun && 'ready' in call.plan;
}

/** No call of a round runs, since one of them would need a person whom nobody asks. */
export async function refuseRound(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
): Promise<TurnEvent[]> {
  const round: Round = { deps, turn, progress, messageId: progress.tip.id, askedIndex: null };
  const calls = await readRound(round, round.messageId);
  return answerAll(round, calls, () => failure('not run: it needs an approval'));
}

/** Nobody has to decide any more, and what was asked says why it did not run. */
async function answerStopped(round: Round): Promise<TurnEvent[]> {
  const { deps, turn, messageId } = round;
  const calls = await readRound(round, messageId);
  const { signal, turnId } = turn.live;
  const settled = calls.map((planned) => ({
    planned,
    result: stoppedAnswer(planned, stopText(signal)),
    execution: null,
  }));
  const cancelled = await storeResults(round, settled, (db) => deps.approvals.cancelOfTurn(db, turnId));
  deps.approvals.announce(cancelled);
  return settled.flatMap((one) => resultEvents(one, round.askedIndex));
}

function stoppedAnswer({ name, plan, approval }: RoundCall, reason: string): CallResult {
  if (approval !== null && 'answer' in plan) return plan.answer;
  return approval?.kind === 'outcome' ? notRunAgain(name) : notRun(name, reason);
}

async function answerAll<Call extends RoundCall>(
  round: Round,
  calls: readonly Call[],
  answer: (call: Call) => CallResult,
): Promise<TurnEvent[]> {
  const settled = calls.map((planned) => ({ planned, result: answer(planned), execution: null }));
  await storeResults(round, settled);
  return settled.flatMap((one) => resultEvents(one, round.askedIndex));
}

/** Calls that may run side by side; each is told when those before it have been. @returns whether one has asked */
async function* runPart(
  round: Round,
  calls: readonly CallToRun[],
): AsyncGenerator<readonly TurnEvent[], boolean> {
  const [first, ...others] = calls;
  if (first === undefined) return false;
  const answer = first.hasBegun ? null : answerUnrun(round, first);
  if (answer === null && isAgentCall(first)) {
    yield* settleAgentCall(round, first);
    return false;
  }
  if (answer === null) return yield* runAll(round, calls);
  yield await answerAll(round, [first], () => answer);
  return round.turn.live.signal.aborted ? false : yield* runPart(round, others);
}

/** What a person has approved runs however often it did, as long as it is what was approved. */
function answerUnrun({ deps, progress }: Round, call: CallToRun): CallResult | null {
  if (call.approval !== null) return changedSince(deps, call);
  const { lastRun } = progress;
  return isRepeated(lastRun, call.plan.ready) ? answerRepeated(lastRun, call.name) : null;
}

async function* runAll(
  round: Round,
  calls: readonly CallToRun[],
): AsyncGenerator<readonly TurnEvent[], boolean> {
  const { deps, turn, progress, messageId } = round;
  const { live } = turn;
  /** The call that was told last; what others say of their progress is not heard. */
  let told: CallToRun | null = null;
  const runs = calls.map((planned) => ({
    planned,
    telling: Promise.withResolvers<void>(),
    begin: once(() => beginCall(deps, turn, { messageId, planned })),
  }));
  const tasks = runs.map(({ planned, telling, begin }) => async () => {
    const tell = (data: ProgressData) => {
      if (told === planned && !live.signal.aborted) live.append([{ event: 'tool_progress', data }]);
    };
    const askPerson = personAsker(deps, turn, { messageId, planned, told: telling.promise });
    return runCall(deps, turn, progress, { ...(await begin()), planned, messageId, tell, askPerson });
  });
  let started: readonly Promise<RunEnd>[] = [];
  let hasAsked = false;
  for (const [index, { planned, telling, begin }] of runs.entries()) {
    if (index > 0 && started[index] === undefined) return hasAsked;
    const { executionId } = await begin();
    const isAsked =
      planned.callIndex === round.askedIndex &&
      planned.approval?.kind === 'tool' &&
      planned.plan.ready.resume === undefined;
    if (!isAsked) yield [callEvent(planned, executionId)];
    told = planned;
    telling.resolve();
    if (index === 0) {
      const atOnce = deps.toolLimits.maxParallel;
      started = startSideBySide(tasks, { atOnce, signal: live.signal });
    }
    const ended = await started[index];
    told = null;
    if (ended?.asks !== undefined && !live.signal.aborted) {
      await storeQuestions(round, planned, { executionId, end: ended.end, asks: ended.asks });
      hasAsked = true;
      continue;
    }
    const { result, end } =
      ended === undefined || ended.asks !== undefined
        ? endBeforeRun(deps, notRun(planned.name, stopText(live.signal)))
        : ended;
    const note = editNote(planned);
    const settled = {
      planned,
      result: note === null ? result : withNote(result, note),
      execution: { id: executionId, end },
    };
    await storeResults(round, [settled]);
    progress.lastRun = afterRun(progress.lastRun, planned.plan.ready, result);
    yield resultEvents(settled, round.askedIndex);
  }
  return hasAsked;
}

/** What is told first and run second begins once. */
function once(begin: () => Promise<BegunCall>): () => Promise<BegunCall> {
  let begun: Promise<BegunCall> | null = null;
  return () => (begun ??= begin());
}
