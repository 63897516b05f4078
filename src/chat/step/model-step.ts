// One model call: engine chunks → turn events, gathered in the draft.
import type { Engine, EngineChatRequest, EngineToolCall, EngineUsage } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { MAX_CALLS } from '../../contract/tool.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { WholeCharacters } from '../../kit/whole-characters.ts';
import type { Draft } from './draft.ts';

export interface ModelStep {
  readonly engine: Engine;
  readonly request: EngineChatRequest;
  readonly draft: Draft;
  readonly signal: AbortSignal;
  /** The engine has begun to answer. */
  readonly onBegin: () => void;
}

/** Yields what the call tells the world, one batch per read; returns what it cost. @throws what the engine throws */
export async function* modelStep(step: ModelStep): AsyncGenerator<readonly TurnEvent[], EngineUsage> {
  const { engine, request, draft, signal } = step;
  let hasBegun = false;
  let unasked = '';
  const whole = { content: new WholeCharacters(), thinking: new WholeCharacters() };
  for await (const batch of engine.chat(request, signal)) {
    const events: TurnEvent[] = [];
    if (!hasBegun) {
      hasBegun = true;
      step.onBegin();
      events.push({ event: 'status', data: generatingPhase(draft) });
    }
    const say = (type: 'content' | 'thinking', text: string) => {
      if (text === '') return;
      // Some models think whether asked or not; nobody asked to see it then, unless nothing else comes.
      if (type === 'thinking' && request.think === false) unasked += text;
      else show(type, text, draft, events);
    };
    for (const chunk of batch) {
      if (chunk.type === 'done') {
        say('thinking', whole.thinking.end());
        say('content', whole.content.end());
        draft.finishReason = draft.toolCalls.length > 0 ? 'tool_calls' : chunk.reason;
        if (draft.isEmpty && draft.toolCalls.length === 0 && unasked !== '')
          show('thinking', unasked, draft, events);
        if (events.length > 0) yield events;
        return chunk.usage;
      }
      if (chunk.type === 'tool_call') addCall(draft, chunk.call);
      else say(chunk.type, whole[chunk.type].push(chunk.text));
    }
    if (events.length > 0) yield events;
    draft.touch();
  }
  throw new MochiError(
    'incomplete_response',
    'The engine stopped before its answer was complete; what came is kept. Send message: null to try again.',
  );
}

function show(type: 'content' | 'thinking', text: string, draft: Draft, events: TurnEvent[]): void {
  draft[type] += text;
  events.push(
    type === 'content'
      ? { event: 'content_delta', data: { content: text, role: 'assistant' } }
      : { event: 'thinking_delta', data: { content: text } },
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
  draft.toolCalls.push(call);
}

function generatingPhase({ options }: Draft): Extract<TurnEvent, { event: 'status' }>['data'] {
  return {
    phase: 'generating',
    message_id: options.messageId,
    model: options.model,
    timestamp: options.timestamp,
  };
}
