// What messages of Anthropic's API are made of, whole and in a stream.
import type { FinishReason } from '../../contract/message.ts';
import type { TurnUsage } from '../../contract/turn.ts';
import type { ClientCall } from '../told-pieces.ts';

export interface MessageHead {
  /** `msg_…`. */
  readonly id: string;
  /** As it was asked for. */
  readonly model: string;
}

/** Ids end with that of the turn. */
export function toMessageHead(turnId: string, model: string): MessageHead {
  return { id: `msg_${turnId.replace(/^turn_/, '')}`, model };
}

/** Thoughts are not signed here, and not checked when they come back. */
export const SIGNATURE = 'mochi';

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
};

export function tellStop(finishReason: FinishReason): {
  readonly stop_reason: string;
  readonly stop_sequence: null;
} {
  return { stop_reason: STOP_REASONS[finishReason], stop_sequence: null };
}

export function tellToolUse({ id, name }: ClientCall, input: ClientCall['arguments']) {
  return { type: 'tool_use', id, name, input };
}

/** Counts that are not known are 0. */
export function tellUsage({
  prompt_tokens: prompt,
  output_tokens: output,
}: Pick<TurnUsage, 'prompt_tokens' | 'output_tokens'>) {
  return {
    input_tokens: prompt ?? 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output ?? 0,
  };
}
