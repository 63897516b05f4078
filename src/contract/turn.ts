// Turn: everything that happens to answer one request. A stored thing, apart from any connection.
import { type Static, Type } from 'typebox';
import { Approval } from './approval.ts';
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

export const AGENT_PHASES = ['planning', 'gate', 'executing', 'reporting'] as const;
/** How far a run of an agent has come; `gate`: its plan waits for a person. */
export type AgentPhase = (typeof AGENT_PHASES)[number];

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
    session_id: Type.String({
      description: 'Empty for a turn of another API that is stored nowhere; it is known as long as it runs.',
    }),
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

/** What a waiting turn waits for. */
export const UndecidedApprovals = Type.Array(ref(Approval), {
  description: 'What a person has to decide, and has not.',
});

/** What a turn is as the run of an agent. */
const runFields = {
  agent_name: nullable(Type.String({ description: 'Null for a turn that is no run of an agent.' })),
  phase: Type.Unsafe<AgentPhase | null>({
    type: ['string', 'null'],
    enum: [...AGENT_PHASES, null],
    description:
      '`planning`, without tools. `gate`: the plan waits for a person. `executing`. `reporting`: the last words, at a limit.',
  }),
  round: nullable(Type.Integer({ description: 'Of the execution, from 1; 0 before it.' })),
};

export const AgentRun = Type.Object(
  { turn_id: Type.String(), session_id: Type.String(), state: oneOf(TURN_STATES), ...runFields },
  { $id: 'AgentRun' },
);
export type AgentRun = Static<typeof AgentRun>;

export const DescribedTurn = Type.Object(
  {
    ...Turn.properties,
    ...runFields,
    parent_turn_id: nullable(
      Type.String({ description: 'The turn whose call of `agent` started this run.' }),
    ),
    agent_turns: Type.Array(ref(AgentRun), { description: 'The runs that this turn has started, in order.' }),
    approvals: UndecidedApprovals,
  },
  { $id: 'DescribedTurn' },
);
export type DescribedTurn = Static<typeof DescribedTurn>;
