// One turn: ask the model, settle the calls it made, repeat until it rests. Everything goes through here: streaming,
// plain and resumed requests differ only in how they watch it, chats and agents in their script.
import type { ContextReceipt } from '../contract/context-window.ts';
import { MochiError } from '../contract/errors.ts';
import type { FinalTurnState } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import { TurnLost } from '../store/tenure.ts';
import type { Offer } from '../tools/offer.ts';
import { type CallDeps, callInLine } from './call-in-line.ts';
import { TurnSuspended } from './step/await-decision.ts';
import { finishFailed, finishToolRequest } from './step/finish-step.ts';
import { handOver } from './step/hand-over.ts';
import { type PlannedCall, planRound } from './step/plan-round.ts';
import { refuseRound, settleRound } from './step/settle-round.ts';
import { NO_ENDING } from './step/turn-ending.ts';
import { type RunningTurn, type TurnProgress, tell, tellAll } from './step/turn-progress.ts';
import type { TurnSettings } from './step/turn-settings.ts';
import { WAIT_FOR_IT } from './stop-reasons.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnScript } from './turn-script.ts';
import type { LiveTurn } from './watch/live-turn.ts';

/** A round that another process began, and that waits for a person. */
export interface OpenRound {
  /** The assistant message with the calls. */
  readonly messageId: string;
  readonly settings: TurnSettings | null;
  readonly receipt: ContextReceipt | null;
}

export interface TurnPlan {
  readonly script: (deps: TurnDeps, turn: RunningTurn, progress: TurnProgress) => TurnScript;
  /** Null: it begins. */
  readonly openRound: OpenRound | null;
}

/**
 * Tells every event of the turn from the first model call to `done`.
 * @throws TurnSuspended when the server stops while the turn waits for a person; what kept it from being kept
 */
export async function runTurn(deps: CallDeps, turn: RunningTurn, plan: TurnPlan): Promise<void> {
  const { live } = turn;
  const progress = toProgress(turn, plan.openRound);
  const script = plan.script(deps, turn, progress);
  if (script.tell !== undefined) progress.voice = script.tell.bind(script);
  let state: FinalTurnState;
  try {
    await answer(deps, { turn, progress, plan, script });
    state = 'completed';
  } catch (error) {
    if (error instanceof TurnSuspended || isLoss(live, error)) throw error;
    // Where it could not be kept, nobody was told of it.
    await live.opened;
    const raw = toTurnFailure(deps, live, error);
    const failure = script.word?.(raw) ?? raw;
    state = stateAfter(failure);
    const ending = (await script.fail?.(failure)) ?? NO_ENDING;
    const told = await finishFailed(deps, turn, progress, { state, failure, ending });
    live.append([...ending.events, { event: 'error', data: told }]);
  }
  live.append([doneEvent(live, state)]);
}

/** Nothing has happened yet, but for a round that another process began. */
export function toProgress(turn: RunningTurn, round: OpenRound | null): TurnProgress {
  const { usage = null, lastRun = null, rounds = 0 } = round?.settings ?? {};
  return {
    tip: turn.tip,
    draft: null,
    messageId: round?.messageId ?? null,
    usage,
    model: turn.model,
    plan: null,
    receipt: round?.receipt ?? null,
    reason: round?.receipt?.window_reason ?? null,
    mark: turn.session.promptMark,
    offer: { tools: [], missing: [] },
    nudge: null,
    lastRun,
    rounds,
    place: null,
    isRestarted: false,
    use: null,
    hasAskedWindows: false,
    voice: null,
  };
}

interface Running {
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
  readonly plan: TurnPlan;
  readonly script: TurnScript;
}

async function answer(deps: CallDeps, { turn, progress, plan, script }: Running): Promise<void> {
  if (plan.openRound === null) progress.offer = await script.offer();
  else {
    const { messageId } = plan.openRound;
    progress.offer = await offerAgain(script, turn);
    const isGoneOn = script.resume !== undefined && (await tellAll(turn, progress, script.resume(messageId)));
    if (!isGoneOn && (await finishRound(deps, { turn, progress }, { messageId, isResumed: true }))) return;
  }
  for (;;) {
    await script.prepare();
    const usage = await callInLine(deps, turn, progress);
    if (progress.draft === null) return;
    if (progress.draft.toolCalls.length === 0) {
      if (await tellAll(turn, progress, script.rest(usage))) return;
      continue;
    }
    const calls = await planRound(deps, turn, progress, await script.policy());
    const refusal = turn.request.onApproval === 'fail' ? refusalOf(calls) : null;
    await finishToolRequest(deps, turn, progress, { usage, calls, asks: refusal === null });
    if (refusal !== null) {
      tell(turn, progress, await refuseRound(deps, turn, progress));
      throw refusal;
    }
    const { id: messageId } = progress.tip;
    if (await finishRound(deps, { turn, progress }, { messageId, isResumed: false })) return;
  }
}

/** @returns whether the turn ends with it, since the client runs what is left */
async function finishRound(
  deps: CallDeps,
  { turn, progress }: Pick<Running, 'turn' | 'progress'>,
  round: Parameters<typeof settleRound>[3],
): Promise<boolean> {
  const handed = await tellAll(turn, progress, settleRound(deps, turn, progress, round));
  if (handed.length === 0) return false;
  tell(turn, progress, await handOver(deps, turn, progress, { messageId: round.messageId, calls: handed }));
  return true;
}

/** A turn that is to stop needs no tools; one that waits for a person waits on in the next process, too. */
async function offerAgain(script: TurnScript, { live, seat }: RunningTurn): Promise<Offer> {
  try {
    return await unlessAborted(script.offer(), seat.closing);
  } catch (error) {
    if (live.signal.aborted) return { tools: [], missing: [] };
    throw seat.closing.aborted ? new TurnSuspended() : error;
  }
}

/** Why a round does not run whose request waits for nobody; null: no call of it needs a person. */
function refusalOf(calls: readonly PlannedCall[]): MochiError | null {
  const names = calls.filter(({ plan }) => plan.verdict === 'ask').map(({ name }) => name);
  const tools = [...new Set(names)];
  if (tools.length === 0) return null;
  return new MochiError(
    'tool_confirmation_requires_streaming',
    `The model asked for what needs an approval (${tools.join(', ')}), and a plain answer does not wait for one: no tool was run.`,
    { tools },
    WAIT_FOR_IT,
  );
}

/** Another instance has the turn, and writes its end. */
export function isLoss(live: LiveTurn, error: unknown): boolean {
  return live.isLost || error instanceof TurnLost;
}

/** Faults of the engine are logged as they are told; faults of our own are logged whole and told in general words. */
export function toTurnFailure(deps: Pick<TurnDeps, 'log'>, live: LiveTurn, error: unknown): MochiError {
  if (error instanceof MochiError) {
    const isFault = error.status >= 500 && error.kind !== 'turn_interrupted';
    if (isFault) deps.log.warn({ code: error.code, turn_id: live.turnId }, `turn failed: ${error.message}`);
    return error;
  }
  deps.log.error({ err: error, turn_id: live.turnId }, 'turn failed');
  return new MochiError(
    'internal_error',
    'The turn failed by a fault of the server; the log has the details.',
  );
}

export function stateAfter(failure: MochiError): FinalTurnState {
  if (failure.kind === 'turn_cancelled') return 'cancelled';
  return failure.kind === 'turn_interrupted' ? 'interrupted' : 'failed';
}

export function doneEvent(live: LiveTurn, state: FinalTurnState): TurnEvent {
  return { event: 'done', data: { session_id: live.sessionId, turn_id: live.turnId, state } };
}
