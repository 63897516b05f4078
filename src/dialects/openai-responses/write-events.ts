// Turn events → events of a response. Pure but for the state of one reader.
import type { ToldEvent } from '../../chat/watch/turn-log.ts';
import type { ErrorObject } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { AnswerReader, EventWriter, Frame } from '../dialect.ts';
import type { JsonObject } from '../read-content.ts';
import { readCustomTools } from './custom-tools.ts';
import { OutputList, type ResponseEvent } from './output-list.ts';
import { type ResponseHead, type ResponseState, toResponse } from './response-object.ts';

type DataOf<Name extends TurnEvent['event']> = Extract<TurnEvent, { event: Name }>['data'];

/** Numbers of events of a response for one event of a turn: the same at every replay, and they grow. */
export const NUMBERS_PER_EVENT = 16;
/** `silence` is asked for every 15 s: clients that count events, not bytes, hear something once a minute. */
const SILENCES_PER_EVENT = 4;

interface NumberedEvent extends ResponseEvent {
  readonly sequence_number: number;
}

/** @param startingAfter events up to this number were seen; null: none */
export function createResponseWriter(head: ResponseHead, startingAfter: number | null = null): EventWriter {
  const teller = new ResponseTeller(head);
  let silences = 0;
  const toFrames = (events: readonly NumberedEvent[]): Frame[] =>
    events
      .filter(({ sequence_number: number }) => startingAfter === null || number > startingAfter)
      .map((event) => ({ event: event.type, data: event }));
  return {
    write(told) {
      const frames = toFrames(teller.tell(told));
      return told.event.event === 'done' ? [...frames, { data: '[DONE]' }] : frames;
    },
    silence() {
      silences += 1;
      return silences % SILENCES_PER_EVENT === 0 ? (toFrames(teller.tellProgress())[0] ?? null) : null;
    },
  };
}

/** The same fold to its end. */
export function createResponseReader(head: ResponseHead): AnswerReader {
  const teller = new ResponseTeller(head);
  return {
    read: (told) => void teller.tell(told),
    answer: () => teller.response(),
  };
}

class ResponseTeller {
  readonly #head: ResponseHead;
  readonly #output: OutputList;
  #state: Omit<ResponseState, 'output'>;
  #number = 0;

  constructor(head: ResponseHead) {
    const { tools, reasoning, include, background } = head.echo;
    this.#head = head;
    this.#output = new OutputList(readCustomTools(tools), {
      isSummary: reasoning.summary !== null,
      isEncrypted: include.includes('reasoning.encrypted_content'),
    });
    this.#state = { status: background ? 'queued' : 'in_progress' };
  }

  response(): JsonObject {
    return toResponse(this.#head, { ...this.#state, output: this.#output.items });
  }

  tell({ id, event }: ToldEvent): NumberedEvent[] {
    // A snapshot stands for the events before it: its numbers are below those of all that come.
    if (id !== null) this.#number = event.event === 'snapshot' ? 1 : id * NUMBERS_PER_EVENT;
    return this.#tell(event).map(({ type, ...fields }) => {
      const numbered = { type, sequence_number: this.#number, ...fields };
      this.#number += 1;
      return numbered;
    });
  }

  /** That it goes on, between two events. */
  tellProgress(): NumberedEvent[] {
    const { type, response } = this.#progress();
    return [{ type, sequence_number: this.#number, response }];
  }

  #progress() {
    const type = this.#state.status === 'queued' ? 'response.queued' : 'response.in_progress';
    return { type, response: this.response() };
  }

  #tell(event: TurnEvent): ResponseEvent[] {
    const output = this.#output;
    switch (event.event) {
      case 'turn_start':
        output.enterSession(event.data.session_id);
        return this.#begin();
      case 'status':
        return this.#tellStatus(event.data);
      case 'thinking_delta':
        return output.tellText('reasoning', event.data.content);
      case 'content_delta':
        return output.tellText('message', event.data.content);
      case 'tool_call':
        return event.data.runs_at === 'client'
          ? output.tellClientCall(event.data)
          : output.openCall(event.data);
      case 'tool_call_confirmation_required': {
        const { kind, agent_session_id: agentChat } = event.data;
        // What an agent asks is no call of this turn, and a plan is none at all.
        const isOwn = kind !== 'plan' && (agentChat === null || output.isOf(agentChat));
        return isOwn ? output.openCall(event.data) : [];
      }
      case 'tool_result': {
        const { arguments: given = {}, error, result, ...told } = event.data;
        return output.closeCall({ ...told, arguments: given }, { ...told, result: error ?? result });
      }
      case 'snapshot':
        return this.#tellSnapshot(event.data);
      case 'message_complete':
        return this.#complete(event.data);
      case 'error':
        return this.#fail(event.data);
      default:
        return [];
    }
  }

  #begin(): ResponseEvent[] {
    return [{ type: 'response.created', response: this.response() }, this.#progress()];
  }

  #tellStatus({ phase, message_id: messageId }: DataOf<'status'>): ResponseEvent[] {
    const closing = messageId === undefined ? [] : this.#output.enterMessage(messageId);
    if (this.#state.status !== 'queued' || phase === 'queued') return closing;
    this.#state = { status: 'in_progress' };
    return [...closing, this.#progress()];
  }

  #tellSnapshot({ turn, message, tool_calls: calls }: DataOf<'snapshot'>): ResponseEvent[] {
    const output = this.#output;
    output.enterSession(turn.session_id);
    const opening = this.#begin();
    const server = calls
      .filter(({ runs_at: place }) => place !== 'client')
      .flatMap((call) => {
        const { success, result } = call;
        return success === null
          ? output.openCall(call)
          : output.closeCall(call, { success, result: result ?? '' });
      });
    return [
      ...opening,
      ...server,
      ...(message === null ? [] : output.enterMessage(message.message_id)),
      ...output.tellText('reasoning', message?.thinking ?? ''),
      ...output.tellText('message', message?.content ?? ''),
      ...calls
        .filter(({ runs_at: place }) => place === 'client')
        .flatMap((call) => output.tellClientCall(call)),
    ];
  }

  #complete({ usage, finish_reason: reason, model }: DataOf<'message_complete'>): ResponseEvent[] {
    const status = reason === 'length' ? 'incomplete' : 'completed';
    return this.#end(status, { status, usage: usage ?? null, model });
  }

  #fail(error: ErrorObject): ResponseEvent[] {
    return this.#end('incomplete', {
      status: error.code === 'turn_cancelled' ? 'cancelled' : 'failed',
      error,
    });
  }

  /** @param itemEnd how an item ends that is being written */
  #end(itemEnd: 'completed' | 'incomplete', state: Omit<ResponseState, 'output'>): ResponseEvent[] {
    const closing = this.#output.close(itemEnd);
    this.#state = { ...state, completedAt: state.status === 'completed' ? this.#head.nowSeconds() : null };
    // Clients know of no `response.cancelled`.
    const type = state.status === 'cancelled' ? 'response.incomplete' : `response.${state.status}`;
    return [...closing, { type, response: this.response() }];
  }
}
