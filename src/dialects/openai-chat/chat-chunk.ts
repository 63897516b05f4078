// What chunks and plain answers of Chat Completions have in common.
import type { TurnUsage } from '../../contract/turn.ts';
import type { ClientCall } from '../told-pieces.ts';

/** Of one answer, the same in all its chunks. */
export interface ChatHead {
  /** `chatcmpl-…`. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** As it was asked for. */
  readonly model: string;
}

/** Ids end with that of the turn. */
export function toChatHead(turnId: string, createdAt: number, model: string): ChatHead {
  return { id: `chatcmpl-${turnId.replace(/^turn_/, '')}`, created: Math.floor(createdAt / 1000), model };
}

export const FINGERPRINT = { system_fingerprint: 'mochi' };

/** Clients read one or the other, and none reads both. */
export function tellThinking(text: string): {
  readonly reasoning: string;
  readonly reasoning_content: string;
} {
  return { reasoning: text, reasoning_content: text };
}

export function tellCall({ id, name, arguments: given }: ClientCall) {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(given) } };
}

/** Counts that are not known are 0. */
export function tellUsage({ prompt_tokens: prompt, output_tokens: output }: TurnUsage) {
  return {
    prompt_tokens: prompt ?? 0,
    completion_tokens: output ?? 0,
    total_tokens: (prompt ?? 0) + (output ?? 0),
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}
