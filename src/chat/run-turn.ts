// One turn: ask the model, settle the calls it made, repeat until it rests. The one generator everything goes
// through: streaming, plain and resumed requests differ only in how they watch it.
import type { AnswerMessage } from '../contract/chat.ts';
import type { EngineUsage } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { FinalTurnState } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { type CallDeps, callInLine } from './call-in-line.ts';
import { offerTools } from './offer-tools.ts';
import { askAgain } from './step/ask-again.ts';
import { finishAnswer, finishFailed, finishToolRequest } from './step/finish-step.ts';
import { planRound } from './step/plan-round.ts';
import { settleRound } from './step/settle-round.ts';
import { parseStructured } from './step/structured-output.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { LiveTurn } from './watch/live-turn.ts';

/** Yields every event of the turn from the first model call to `done`; never throws. */
export async function* runTurn(
  deps: CallDeps,
  turn: RunningTurn,
): AsyncGenerator<readonly TurnEvent[], void> {
  const progress: TurnProgress = {
    tip: turn.tip,
    draft: null,
    messageId: null,
    usage: null,
    model: turn.model,
    plan: null,
    receipt: null,
    reason: null,
    mark: turn.session.promptMark,
    offer: { tools: [], missing: [] },
    nudge: null,
    lastRun: null,
    place: null,
    isRestarted: false,
    use: null,
    hasAskedWindows: false,
  };
  let state: FinalTurnState;
  try {
    yield* answer(deps, turn, progress);
    state = 'completed';
  } catch (error) {
    const failure = toTurnFailure(deps, turn.live, error);
    state = stateAfter(failure);
    const told = await finishFailed(deps, turn, progress, { state, failure });
    yield [{ event: 'error', data: told }];
  }
  yield [doneEvent(turn.live, state)];
}

async function* answer(
  deps: CallDeps,
  turn: RunningTurn,
  progress: TurnProgress,
): AsyncGenerator<readonly TurnEvent[], void> {
  progress.offer = await offerTools(deps, { ...turn, signal: turn.live.signal });
  for (let rounds = 0; rounds < deps.maxSteps; ) {
    const usage = yield* callInLine(deps, turn, progress);
    const draft = progress.draft;
    if (draft === null) return;
    if (draft.toolCalls.length === 0) {
      if (await askAgain(deps, progress, { usage, isAfterRound: rounds > 0 })) continue;
      yield [await complete(deps, turn, progress, usage)];
      return;
    }
    const calls = await planRound(deps, turn, progress);
    await finishToolRequest(deps, progress, { usage, calls });
    yield [{ event: 'status', data: { phase: 'running_tool' } }];
    yield* settleRound(deps, turn, progress, calls);
    rounds += 1;
  }
  throw new MochiError(
    'tool_loop_limit',
    `The model asked for tools ${deps.maxSteps} times in a row (MOCHI_MAX_TOOL_ITERATIONS). What happened is kept.`,
    { limit: deps.maxSteps },
  );
}

/** Stores the answer, then says so: what a client heard of is on disk. */
async function complete(
  deps: CallDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  usage: EngineUsage,
): Promise<TurnEvent> {
  const { draft } = progress;
  if (draft === null) throw new Error('A turn cannot be complete without an answer.');
  const { request } = turn;
  const parsed =
    request.format === null ? undefined : parseStructured(request.format, draft.content, draft.finishReason);
  const finished = await finishAnswer(deps, turn, progress, {
    usage,
    failure: parsed?.failure ?? null,
  });
  if (parsed?.failure) throw parsed.failure;
  const message: AnswerMessage = {
    role: 'assistant',
    content: draft.content,
    model: draft.options.model,
    message_id: draft.options.messageId,
    timestamp: draft.options.timestamp,
    eval_count: usage.outputTokens,
    prompt_eval_count: usage.promptTokens,
    finish_reason: draft.finishReason,
    tool_calls: null,
    thinking: draft.thinking || null,
    ...(parsed !== undefined && { parsed: parsed.value }),
  };
  return {
    event: 'message_complete',
    data: {
      message_id: message.message_id,
      model: message.model,
      eval_count: message.eval_count,
      prompt_eval_count: message.prompt_eval_count,
      finish_reason: message.finish_reason,
      context_window: finished.contextWindow,
      message,
      context: finished.receipt,
    },
  };
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
