// A response as its clients read it: what was asked for, said back, and what has come of it.
import type { ErrorObject, TurnState, TurnUsage } from '../../contract/turn.ts';
import type { JsonObject } from '../read-content.ts';
import type { OutputItem } from './items.ts';

/** What a request asked for, as the response says it back; kept with a stored turn. */
export interface RequestEcho {
  readonly background: boolean;
  readonly include: readonly string[];
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly metadata: JsonObject;
  /** Null: that of the session, in turns that began elsewhere. */
  readonly model: string | null;
  readonly parallel_tool_calls: boolean;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
  readonly previous_response_id: string | null;
  readonly prompt_cache_key: string | null;
  readonly reasoning: { readonly effort: string | null; readonly summary: string | null };
  readonly safety_identifier: string | null;
  readonly store: boolean;
  readonly temperature: number;
  readonly text: { readonly format: JsonObject };
  readonly tool_choice: unknown;
  readonly tools: readonly JsonObject[];
  readonly top_p: number;
  readonly truncation: 'auto' | 'disabled';
  readonly user?: string;
}

/** Of a turn that was begun in another dialect. */
export const NO_ECHO: RequestEcho = {
  background: false,
  include: [],
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  model: null,
  parallel_tool_calls: true,
  presence_penalty: 0,
  frequency_penalty: 0,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
};

export interface ResponseHead {
  readonly id: string;
  /** Unix time in seconds. */
  readonly createdAt: number;
  /** Null: it is not stored. */
  readonly conversationId: string | null;
  readonly echo: RequestEcho;
  /** Unix time in seconds at which it has ended, or now. */
  readonly nowSeconds: () => number;
}

export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'cancelled' | 'failed';

export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly OutputItem[];
  readonly usage?: TurnUsage | null;
  readonly error?: ErrorObject | null;
  /** Unix time in seconds; null: not ended, or not well. */
  readonly completedAt?: number | null;
  /** What answered, where the request named no model. */
  readonly model?: string | null;
}

export function toResponse(head: ResponseHead, state: ResponseState): JsonObject {
  const { include: _, ...echo } = head.echo;
  const { status, output, usage = null, error = null, completedAt = null, model = null } = state;
  return {
    ...echo,
    id: head.id,
    object: 'response',
    created_at: head.createdAt,
    completed_at: completedAt,
    status,
    error: status === 'failed' && error !== null ? tellFailure(error) : null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    model: echo.model ?? model ?? '',
    output,
    service_tier: 'default',
    top_logprobs: 0,
    usage: usage && tellUsage(usage),
    ...(head.conversationId !== null && { conversation: { id: head.conversationId } }),
  };
}

export function statusOf(state: TurnState, wasCut: boolean): ResponseStatus {
  switch (state) {
    case 'queued':
      return 'queued';
    case 'running':
    case 'waiting':
      return 'in_progress';
    case 'completed':
      return wasCut ? 'incomplete' : 'completed';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
    case 'interrupted':
      return 'failed';
    default:
      return state satisfies never;
  }
}

const WAITING_HELPS = new Set(['overloaded', 'engine_busy']);

/** Clients know two codes; ours ends the words. */
function tellFailure({ code, message }: ErrorObject): JsonObject {
  return {
    code: WAITING_HELPS.has(code) ? 'rate_limit_exceeded' : 'server_error',
    message: `${message} [${code}]`,
  };
}

function tellUsage({ prompt_tokens, output_tokens, total_tokens }: TurnUsage): JsonObject {
  const [input, output] = [prompt_tokens ?? 0, output_tokens ?? 0];
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: total_tokens ?? input + output,
  };
}

/** @param timestamp ISO 8601 */
export function toSeconds(timestamp: string): number {
  return Math.floor(Date.parse(timestamp) / 1000);
}
