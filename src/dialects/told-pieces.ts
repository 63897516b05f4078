// Turn events → what a client of another API is told of them: text, thoughts, its own calls, and the end. Tools that
// run here, phases and receipts have no words there.
import type { FinishReason } from '../contract/message.ts';
import type { ErrorObject, TurnUsage } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { STEP_GAP } from '../sessions/match-history.ts';

export type Piece =
  | { readonly type: 'thinking' | 'text'; readonly text: string }
  | { readonly type: 'call'; readonly call: ClientCall }
  | { readonly type: 'end'; readonly finishReason: FinishReason; readonly usage: TurnUsage }
  | { readonly type: 'failure'; readonly error: ErrorObject };

/** A call that the client is to run. */
export interface ClientCall {
  /** Among those of the turn, from 0. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Has a small state: that of one reader, from the first event or from a snapshot on. */
export interface PieceReader {
  /** Estimate of the prompt, once it is planned; 0 before. */
  readonly plannedTokens: number;
  read(event: TurnEvent): readonly Piece[];
}

export function createPieceReader(): PieceReader {
  let plannedTokens = 0;
  let step: string | null = null;
  /** Text was told, in this step and in those before it. */
  let [isInStep, wasBefore] = [false, false];
  const told = new Set<string>();

  const enterStep = (messageId: string | null) => {
    if (messageId === step) return;
    step = messageId;
    wasBefore ||= isInStep;
    isInStep = false;
  };
  const tellText = (text: string): Piece[] => {
    if (text === '') return [];
    const gap = wasBefore && !isInStep ? STEP_GAP : '';
    isInStep = true;
    return [{ type: 'text', text: gap + text }];
  };
  const tellThinking = (text: string | null): Piece[] => (text ? [{ type: 'thinking', text }] : []);
  const tellCall = (call: Omit<ClientCall, 'index'>): Piece[] => {
    if (told.has(call.id)) return [];
    told.add(call.id);
    return [{ type: 'call', call: { index: told.size - 1, ...call } }];
  };
  const tellSnapshot = ({ message, tool_calls: calls, turn }: DataOf<'snapshot'>): Piece[] => {
    plannedTokens = turn.context?.planned_tokens ?? plannedTokens;
    enterStep(message?.message_id ?? null);
    return [
      ...tellThinking(message?.thinking ?? null),
      ...tellText(message?.content ?? ''),
      ...calls.filter(({ runs_at: place }) => place === 'client').flatMap((call) => tellCall(toCall(call))),
    ];
  };

  return {
    get plannedTokens() {
      return plannedTokens;
    },
    read({ event, data }) {
      switch (event) {
        case 'context':
          plannedTokens = data.planned_tokens;
          return [];
        case 'status':
          if (data.message_id !== undefined) enterStep(data.message_id);
          return [];
        case 'thinking_delta':
          return tellThinking(data.content);
        case 'content_delta':
          return tellText(data.content);
        case 'tool_call':
          return data.runs_at === 'client' ? tellCall(toCall(data)) : [];
        case 'snapshot':
          return tellSnapshot(data);
        case 'message_complete':
          return [endOf(data)];
        case 'error':
          return [{ type: 'failure', error: data }];
        default:
          return [];
      }
    },
  };
}

type DataOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

function toCall(
  told: Pick<DataOf<'tool_call'>, 'tool_call_id' | 'tool_name' | 'arguments'>,
): Omit<ClientCall, 'index'> {
  return { id: told.tool_call_id, name: told.tool_name, arguments: told.arguments };
}

function endOf(data: DataOf<'message_complete'>): Piece {
  const { usage = null, prompt_eval_count: prompt, eval_count: output, finish_reason: reason } = data;
  const counted = {
    prompt_tokens: prompt,
    output_tokens: output,
    total_tokens: null,
    load_ms: null,
    prompt_eval_ms: null,
    eval_ms: null,
  };
  return { type: 'end', finishReason: reason ?? 'stop', usage: usage ?? counted };
}
