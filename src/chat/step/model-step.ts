// One model call: engine chunks → turn events, gathered in the draft.
import type { Engine, EngineChatRequest, EngineChunk, EngineUsage } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { MAX_CALLS } from '../../contract/tool.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
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
  for await (const batch of engine.chat(request, signal)) {
    const events: TurnEvent[] = [];
    if (!hasBegun) {
      hasBegun = true;
      step.onBegin();
      events.push({ event: 'status', data: generatingPhase(draft) });
    }
    for (const chunk of batch) {
      if (chunk.type === 'done') {
        draft.finishReason = draft.toolCalls.length > 0 ? 'tool_calls' : chunk.reason;
        if (draft.isEmpty && draft.toolCalls.length === 0 && unasked !== '')
          showThinking(unasked, draft, events);
        if (events.length > 0) yield events;
        return chunk.usage;
      }
      // Some models think whether asked or not; nobody asked to see it then, unless nothing else comes.
      if (chunk.type === 'thinking' && request.think === false) unasked += chunk.text;
      else take(chunk, draft, events);
    }
    if (events.length > 0) yield events;
    draft.touch();
  }
  throw new MochiError(
    'incomplete_response',
    'The engine stopped before its answer was complete; what came is kept. Send message: null to try again.',
  );
}

function take(chunk: Exclude<EngineChunk, { type: 'done' }>, draft: Draft, events: TurnEvent[]): void {
  switch (chunk.type) {
    case 'content':
      draft.content += chunk.text;
      events.push({ event: 'content_delta', data: { content: chunk.text, role: 'assistant' } });
      return;
    case 'thinking':
      showThinking(chunk.text, draft, events);
      return;
    case 'tool_call':
      if (draft.toolCalls.length === MAX_CALLS) {
        throw new MochiError(
          'tool_calls_unusable',
          `The model asked for over ${MAX_CALLS} tools at once. Try again, or another model.`,
          { limit: MAX_CALLS },
        );
      }
      draft.toolCalls.push(chunk.call);
      return;
    default:
      chunk satisfies never;
  }
}

function showThinking(text: string, draft: Draft, events: TurnEvent[]): void {
  draft.thinking += text;
  events.push({ event: 'thinking_delta', data: { content: text } });
}

function generatingPhase({ options }: Draft): Extract<TurnEvent, { event: 'status' }>['data'] {
  return {
    phase: 'generating',
    message_id: options.messageId,
    model: options.model,
    timestamp: options.timestamp,
  };
}
