// The answer of a turn without rows: one call of the model, or a second where the first said nothing that was asked for.
import type { AnswerMessage } from '../contract/chat.ts';
import type { EngineUsage } from '../contract/engine.ts';
import type { AnswerToolCall } from '../contract/tool.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { completeToolSettings } from '../sessions/settings.ts';
import { saveTokenRatio } from '../store/token-ratios.ts';
import type { Offer } from '../tools/offer.ts';
import { type CallDeps, callInLine } from './call-in-line.ts';
import { toProgress } from './run-turn.ts';
import { askAgain } from './step/ask-again.ts';
import type { Draft } from './step/draft.ts';
import { addUsage, learnRatio, measured } from './step/measure-call.ts';
import { parseStructured } from './step/structured-output.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import { windowInfo } from './step/window-change.ts';

type ToldCall = Extract<TurnEvent, { event: 'tool_call' }>;

/** Of no account: what the client runs is the client's to decide. */
const ANY_POLICY = completeToolSettings(null);

/** Tells all but the start and the end. @throws MochiError what the model call throws, and what is wrong with its answer */
export async function passAnswer(deps: CallDeps, turn: RunningTurn, offer: Offer): Promise<void> {
  const progress = toProgress(turn, null);
  progress.offer = offer;
  const isAfterRound = turn.given?.messages.at(-1)?.role === 'tool';
  for (;;) {
    const usage = await callInLine(deps, turn, progress);
    const { draft } = progress;
    if (draft === null) throw new Error('A model call leaves a draft.');
    const isRest = draft.toolCalls.length === 0;
    if (isRest && (await askAgain(deps, progress, { usage, isAfterRound }))) continue;
    turn.live.append(complete(deps, turn, progress, { draft, usage }));
    await keepRatio(deps, turn, progress, usage);
    return;
  }
}

function complete(
  deps: CallDeps,
  { session, request }: RunningTurn,
  progress: TurnProgress,
  { draft, usage }: { readonly draft: Draft; readonly usage: EngineUsage },
): TurnEvent[] {
  progress.usage = addUsage(progress.usage, usage);
  const receipt = measured(deps, progress, { draft, usage });
  const calls = draft.toolCalls.map((_call, index) => toldCall(deps, progress, { draft, index }));
  const { finishReason, options, content, thinking } = draft;
  const parsed =
    request.format === null || calls.length > 0
      ? undefined
      : parseStructured(request.format, content, finishReason);
  if (parsed?.failure) throw parsed.failure;
  const message: AnswerMessage = {
    role: 'assistant',
    content,
    model: options.model,
    message_id: options.messageId,
    timestamp: options.timestamp,
    eval_count: usage.outputTokens,
    prompt_eval_count: usage.promptTokens,
    finish_reason: finishReason,
    tool_calls: calls.length === 0 ? null : calls.map(toAnswerCall),
    thinking: thinking || null,
    ...(parsed !== undefined && { parsed: parsed.value }),
  };
  const { message_id, model, eval_count, prompt_eval_count, finish_reason } = message;
  const known = { message_id, model, eval_count, prompt_eval_count, finish_reason };
  const context_window = windowInfo(session.context_window, receipt, usage);
  const data = { ...known, context_window, message, context: receipt, usage: progress.usage };
  return [...calls, { event: 'message_complete', data }];
}

/** With the name and the arguments that were meant, as far as that can be seen; else as the model wrote them. */
function toldCall(
  { tools }: CallDeps,
  { plan }: TurnProgress,
  { draft, index }: { readonly draft: Draft; readonly index: number },
): ToldCall {
  const call = draft.toolCalls[index];
  if (call === undefined || plan === null) throw new Error('A planned call of the model has calls.');
  const meant = tools.prepare(call, { offer: { tools: plan.tools, missing: [] }, session: ANY_POLICY });
  return {
    event: 'tool_call',
    data: {
      tool_name: meant.name,
      tool_call_id: call.id,
      call_index: index,
      execution_id: null,
      arguments: { ...meant.arguments },
      runs_at: 'client',
    },
  };
}

function toAnswerCall({ data }: ToldCall): AnswerToolCall {
  return {
    function: { name: data.tool_name, arguments: data.arguments },
    id: data.tool_call_id,
    runs_at: 'client',
  };
}

/** What was learned of the model is known after a restart, whoever asked. */
async function keepRatio(
  deps: CallDeps,
  { session }: RunningTurn,
  progress: TurnProgress,
  usage: EngineUsage,
): Promise<void> {
  const ratio = learnRatio(deps, progress, usage);
  if (ratio === null) return;
  await saveTokenRatio(deps.db, session.model, ratio).catch((error: unknown) => {
    deps.log.warn({ err: error }, 'what was learned of a model could not be stored');
  });
}
