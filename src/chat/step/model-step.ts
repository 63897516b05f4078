// One model call: engine chunks → turn events, gathered in the draft.
import type {
  Engine,
  EngineChatRequest,
  EngineChunk,
  EngineToolCall,
  EngineUsage,
} from '../../contract/engine.ts';
import { MochiError, PART_IS_KEPT, TRY_AGAIN } from '../../contract/errors.ts';
import { MAX_CALLS } from '../../contract/tool.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { Draft } from './draft.ts';
import type { Hold } from './held-answer.ts';
import { ToldAnswer } from './told-answer.ts';

export interface ModelStep {
  readonly engine: Engine;
  readonly request: EngineChatRequest;
  readonly draft: Draft;
  readonly signal: AbortSignal;
  /** Null: what comes is told as it comes. */
  readonly hold: Hold | null;
  /** Whether the answer may ask for several tools; else the first call is the one. */
  readonly isParallel: boolean;
  /** The engine has begun to answer. */
  readonly onBegin: () => void;
  readonly tell: (events: readonly TurnEvent[]) => void;
}

/** Tells what comes, one batch per read. @returns what it cost @throws what the engine throws */
export async function modelStep(step: ModelStep): Promise<EngineUsage> {
  const { engine, request, draft, signal, hold } = step;
  const told = new ToldAnswer(draft, { hold, showsThinking: request.think !== false });
  let hasBegun = false;
  try {
    const ask = request.completion === undefined ? engine.chat : engine.complete;
    if (ask === undefined) throw cannotComplete(request.model);
    for await (const batch of ask(request, signal)) {
      if (!hasBegun) {
        hasBegun = true;
        step.onBegin();
        told.begin(generatingPhase(draft));
      }
      const usage = readBatch(batch, told, step);
      tellNew(told, step);
      if (usage !== null) return usage;
      draft.touch();
    }
    throw incomplete();
  } catch (error) {
    told.fail();
    tellNew(told, step);
    throw error;
  }
}

function tellNew(told: ToldAnswer, { tell }: ModelStep): void {
  const events = told.takeEvents();
  if (events.length > 0) tell(events);
}

/** @returns what the call cost, where this is its end */
function readBatch(
  batch: readonly EngineChunk[],
  told: ToldAnswer,
  { draft, isParallel }: ModelStep,
): EngineUsage | null {
  for (const chunk of batch) {
    if (chunk.type === 'done') {
      told.end(chunk.reason);
      return chunk.usage;
    }
    if (chunk.type === 'tool_call') {
      if (isParallel || draft.toolCalls.length === 0) addCall(draft, chunk.call);
    } else told.say(chunk.type, chunk.text);
  }
  return null;
}

export function cannotComplete(model: string): MochiError {
  return new MochiError(
    'not_supported',
    `The engine of the model ${model} only chats: it cannot complete a text as it is.`,
    { model },
  );
}

function incomplete(): MochiError {
  return new MochiError(
    'incomplete_response',
    `The engine stopped before its answer was complete${PART_IS_KEPT}.`,
    {},
    TRY_AGAIN,
  );
}

function addCall(draft: Draft, call: EngineToolCall): void {
  if (draft.toolCalls.length === MAX_CALLS) {
    throw new MochiError(
      'tool_calls_unusable',
      `The model asked for over ${MAX_CALLS} tools at once. Try again, or another model.`,
      { limit: MAX_CALLS },
    );
  }
  // By its id a client answers it.
  const isTaken = draft.toolCalls.some(({ id }) => id === call.id);
  draft.toolCalls.push(isTaken ? { ...call, id: `${call.id}_${draft.toolCalls.length}` } : call);
}

function generatingPhase({ options }: Draft): Extract<TurnEvent, { event: 'status' }>['data'] {
  return {
    phase: 'generating',
    message_id: options.messageId,
    model: options.model,
    timestamp: options.timestamp,
  };
}
