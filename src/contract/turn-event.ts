// What a turn tells the world: one discriminated union. The SSE frames are these events and nothing else.
import { type Static, type TSchema, Type } from 'typebox';
import { AGENT_EVENTS, AGENT_WORK } from './agent-event.ts';
import { APPROVAL_KINDS, Approval } from './approval.ts';
import { AnswerMessage } from './chat.ts';
import { ContextReceipt, ContextWindowInfo } from './context-window.ts';
import { FinishReasonField } from './message.ts';
import {
  eventSchema,
  eventUnion,
  FreeObject,
  freeObject,
  nullable,
  nullableRef,
  oneOf,
  ref,
  Timestamp,
} from './schema.ts';
import { TURN_STATES, TurnUsage } from './turn.ts';
import { EVENT_EXAMPLES } from './turn-event-examples.ts';
import { TurnSnapshot } from './turn-snapshot.ts';

function event<const Name extends keyof typeof EVENT_EXAMPLES, T extends TSchema>(
  name: Name,
  data: T,
  description: string,
) {
  return eventSchema(name, data, { description, example: EVENT_EXAMPLES[name] });
}

const executionField = {
  execution_id: nullable(Type.String({ description: 'Of the run; null: nothing ran.' })),
};

const toolCallFields = {
  tool_name: Type.String(),
  tool_call_id: Type.String(),
  call_index: Type.Integer({ description: 'Position inside one assistant message, from 0.' }),
};

/** Every event by name, in the order in which a turn can tell them. */
export const TURN_EVENTS = {
  turn_start: event(
    'turn_start',
    Type.Object({
      turn_id: Type.String(),
      session_id: Type.String(),
      user_message_id: nullable(Type.String()),
    }),
    'First, exactly once: the request is stored.',
  ),
  status: event(
    'status',
    Type.Object({
      phase: oneOf([
        'queued',
        'waiting_for_engine',
        'engine_stalled',
        'loading_model',
        'evaluating_prompt',
        'generating',
        'running_tool',
        'waiting_for_approval',
      ]),
      position: Type.Optional(
        Type.Integer({
          description:
            '`queued`: turns ahead in the line of the session, or that wait longer for a slot or for the engine; told anew when it changes.',
        }),
      ),
      estimate_ms: Type.Optional(
        Type.Integer({ description: 'How long the phase will take, where rates were measured.' }),
      ),
      message_id: Type.Optional(
        Type.String({ description: '`generating`: the message that is being written.' }),
      ),
      model: Type.Optional(
        Type.String({
          description:
            '`generating`: the model that writes it. `queued`: where the turn has begun, the model that answers others of ours first.',
        }),
      ),
      timestamp: Type.Optional(Type.String({ description: '`generating`: the timestamp of that message.' })),
      agent_phase: Type.Optional(
        oneOf(AGENT_WORK, { description: 'In a run of an agent: what the agent does.' }),
      ),
      round: Type.Optional(Type.Integer({ description: 'In a run of an agent: 0 before the first round.' })),
      max_rounds: Type.Optional(Type.Integer({ description: 'In a run of an agent: more there are not.' })),
      waiting_for: Type.Optional(
        oneOf(['approval'], { description: '`queued`: the turn ahead waits for an approval.' }),
      ),
      approvals: Type.Optional(
        Type.Array(ref(Approval), {
          description:
            '`waiting_for_approval`: all that are undecided, told anew when one of them is decided. At most 32, without arguments and schemas of over 4 kB.',
        }),
      ),
    }),
    'On each change of phase.',
  ),
  context: event(
    'context',
    ref(ContextReceipt),
    'Before the first token: what was planned, sent and left out.',
  ),
  thinking_delta: event(
    'thinking_delta',
    Type.Object({ content: Type.String() }),
    'A piece of thinking, only when asked for.',
  ),
  content_delta: event(
    'content_delta',
    Type.Object({ content: Type.String(), role: Type.Literal('assistant') }),
    'A piece of the answer.',
  ),
  tool_call: event(
    'tool_call',
    Type.Object({
      ...toolCallFields,
      ...executionField,
      arguments: FreeObject,
      runs_at: Type.Optional(
        Type.Literal('client', { description: 'The client runs it: the turn ends with the call open.' }),
      ),
    }),
    'A call of the model, with the tool that was meant and the arguments as they run: right before it does, or is answered without.',
  ),
  tool_call_confirmation_required: event(
    'tool_call_confirmation_required',
    Type.Object({
      ...toolCallFields,
      ...executionField,
      confirmation_id: Type.String(),
      arguments: FreeObject,
      kind: oneOf(APPROVAL_KINDS),
      rule: nullable(Type.String({ description: 'Why it is asked.' })),
      digest: nullable(Type.String()),
      expires_at: nullable(Timestamp),
      agent_name: nullable(Type.String()),
      agent_session_id: nullable(Type.String()),
    }),
    'In place of `tool_call`: the turn waits until a person has decided.',
  ),
  tool_progress: event(
    'tool_progress',
    Type.Object({
      ...toolCallFields,
      message: nullable(Type.String()),
      progress: nullable(Type.Number()),
      total: nullable(Type.Number()),
    }),
    'How far the tool is, ten times a second at most; not stored.',
  ),
  tool_result: event(
    'tool_result',
    Type.Object({
      ...toolCallFields,
      ...executionField,
      success: Type.Boolean(),
      result: Type.String(),
      error: nullable(Type.String()),
      error_message: nullable(Type.String()),
      arguments: Type.Optional(
        freeObject({
          description: 'Where a person has changed them, or no event has told them before.',
        }),
      ),
    }),
    'What the tool answered, or why it could not.',
  ),
  tool_continuation_start: event(
    'tool_continuation_start',
    Type.Object({ tool_count: Type.Integer(), message: Type.String() }),
    'The results of this round go to the model.',
  ),
  ...AGENT_EVENTS,
  message_complete: event(
    'message_complete',
    Type.Object({
      message_id: Type.String(),
      model: nullable(Type.String()),
      eval_count: nullable(Type.Integer()),
      prompt_eval_count: nullable(Type.Integer()),
      finish_reason: FinishReasonField,
      context_window: ref(ContextWindowInfo),
      message: ref(AnswerMessage),
      context: ref(ContextReceipt),
      usage: Type.Optional(
        Type.Unsafe<TurnUsage | null>({
          ...nullableRef(TurnUsage),
          description: 'Of all model calls of the turn; null: not known.',
        }),
      ),
    }),
    'Success: the whole final message, stored.',
  ),
  snapshot: event(
    'snapshot',
    ref(TurnSnapshot),
    'In place of events that are gone from the buffer: the state up to and including its own id.',
  ),
  error: event(
    'error',
    Type.Object({ code: Type.String(), message: Type.String(), details: FreeObject }),
    'The turn failed; what was said until then is kept.',
  ),
  done: event(
    'done',
    Type.Object({ session_id: Type.String(), turn_id: Type.String(), state: oneOf(TURN_STATES) }),
    'Always last, exactly once, also after `error`.',
  ),
} as const;

/** One of them, as the OpenAPI document names it. */
export const TurnEventSchema = eventUnion('TurnEvent', TURN_EVENTS);

/** Typed with `?: undefined` left out of optional keys, so that events compare literally. */
export type TurnEvent = {
  [Name in keyof typeof TURN_EVENTS]: Static<(typeof TURN_EVENTS)[Name]>;
}[keyof typeof TURN_EVENTS];
