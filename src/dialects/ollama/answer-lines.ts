// What Ollama's lines and plain answers say, of a chat and of a generated text.
import type { TurnUsage } from '../../contract/turn.ts';
import type { ClientCall } from '../told-pieces.ts';

export type OllamaCall = 'chat' | 'generate';

export interface OllamaHead {
  /** As it was asked for. */
  readonly model: string;
  readonly created_at: string;
}

interface Said {
  readonly text?: string;
  readonly thinking?: string;
  readonly calls?: readonly ClientCall[];
}

/** What was said, as either call tells it. The text is always there: typed clients fail without it. */
export function tellSaid(call: OllamaCall, { text = '', thinking = '', calls = [] }: Said): object {
  const thoughts = thinking === '' ? {} : { thinking };
  if (call === 'generate') return { response: text, ...thoughts };
  const told = calls.length === 0 ? {} : { tool_calls: calls.map(tellCall) };
  return { message: { role: 'assistant', content: text, ...thoughts, ...told } };
}

function tellCall({ id, index, name, arguments: given }: ClientCall) {
  return { id, function: { index, name, arguments: given } };
}

/** The end of the last line: calls are no reason of their own there. Unknown counts are 0. */
export function tellEnd(finishReason: string, usage: TurnUsage): object {
  const { load_ms: load, prompt_eval_ms: reading, eval_ms: writing } = usage;
  return {
    done: true,
    done_reason: finishReason === 'length' ? 'length' : 'stop',
    total_duration: toNanoseconds((load ?? 0) + (reading ?? 0) + (writing ?? 0)),
    load_duration: toNanoseconds(load),
    prompt_eval_count: usage.prompt_tokens ?? 0,
    prompt_eval_duration: toNanoseconds(reading),
    eval_count: usage.output_tokens ?? 0,
    eval_duration: toNanoseconds(writing),
  };
}

export function toNanoseconds(ms: number | null): number {
  return Math.round((ms ?? 0) * 1e6);
}
