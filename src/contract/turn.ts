// Turn: everything that happens to answer one request. A stored thing, apart from any connection.
import { type Static, Type } from 'typebox';
import { ContextReceipt } from './context-window.ts';
import { FinishReasonField } from './message.ts';
import { FreeObject, nullable, nullableRef, oneOf, ref, Timestamp } from './schema.ts';

export const TURN_STATES = [
  'queued',
  'running',
  'waiting',
  'completed',
  'failed',
  'cancelled',
  'interrupted',
] as const;
export type TurnState = (typeof TURN_STATES)[number];

const FINAL_STATES = [
  'completed',
  'failed',
  'cancelled',
  'interrupted',
] as const satisfies readonly TurnState[];

/** States in which nothing more happens. */
export type FinalTurnState = (typeof FINAL_STATES)[number];

export function isFinalState(state: string): state is FinalTurnState {
  return FINAL_STATES.some((final) => final === state);
}

const Amount = nullable(Type.Integer());

export const TurnUsage = Type.Object(
  {
    prompt_tokens: Amount,
    output_tokens: Amount,
    total_tokens: Amount,
    load_ms: Amount,
    prompt_eval_ms: Amount,
    eval_ms: Amount,
  },
  { $id: 'TurnUsage' },
);
export type TurnUsage = Static<typeof TurnUsage>;

export const ErrorObject = Type.Object(
  { code: Type.String(), message: Type.String(), details: FreeObject },
  { $id: 'ErrorObject' },
);
export type ErrorObject = Static<typeof ErrorObject>;

/** How every error of every route is answered. */
export const ErrorEnvelope = Type.Object(
  { detail: Type.Object({ error: ref(ErrorObject) }) },
  { $id: 'ErrorEnvelope' },
);

export const Turn = Type.Object(
  {
    turn_id: Type.String({ examples: ['turn_0f3c5a9d21be'] }),
    session_id: Type.String(),
    state: oneOf(TURN_STATES),
    created_at: Timestamp,
    finished_at: nullable(Timestamp),
    error: nullableRef(ErrorObject),
    message_id: nullable(Type.String({ description: 'The last assistant message of the turn.' })),
    finish_reason: FinishReasonField,
    usage: nullableRef(TurnUsage),
    context: nullableRef(ContextReceipt),
    last_event_id: Type.Integer(),
  },
  { $id: 'Turn' },
);
export type Turn = Static<typeof Turn>;
