// One model call: engine chunks → turn events, gathered in the draft.
import type { Engine, EngineChatRequest, EngineChunk, EngineUsage } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
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
  for await (const batch of engine.chat(request, signal)) {
    const events: TurnEvent[] = [];
    if (!hasBegun) {
      hasBegun = true;
      step.onBegin();
      events.push({ event: 'status', data: generatingPhase(draft) });
    }
    for (const chunk of batch) {
      if (chunk.type === 'done') {
        if (events.length > 0) yield events;
        return chunk.usage;
      }
      take(chunk, draft, request.think !== false, events);
    }
    if (events.length > 0) yield events;
    draft.touch();
  }
  throw new MochiError(
    'incomplete_response',
    'The engine stopped before its answer was complete; what came is kept. Send message: null to try again.',
  );
}

function take(
  chunk: Exclude<EngineChunk, { type: 'done' }>,
  draft: Draft,
  showsThinking: boolean,
  events: TurnEvent[],
): void {
  switch (chunk.type) {
    case 'content':
      draft.content += chunk.text;
      events.push({ event: 'content_delta', data: { content: chunk.text, role: 'assistant' } });
      return;
    case 'thinking':
      // Some models think whether asked or not; nobody asked to see it then.
      if (!showsThinking) return;
      draft.thinking += chunk.text;
      events.push({ event: 'thinking_delta', data: { content: chunk.text } });
      return;
    case 'tool_call':
      draft.toolCalls.push(chunk.call);
      return;
    default:
      chunk satisfies never;
  }
}

function generatingPhase({ options }: Draft): Extract<TurnEvent, { event: 'status' }>['data'] {
  return {
    phase: 'generating',
    message_id: options.messageId,
    model: options.model,
    timestamp: options.timestamp,
  };
}
