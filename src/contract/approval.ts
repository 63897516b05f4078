// Approvals: what a person is asked, what was decided, and what of it is remembered.
import { type Static, Type } from 'typebox';
import { freeObject, nullable, nullableObject, nullableRef, oneOf, ref, Timestamp } from './schema.ts';

export const APPROVAL_KINDS = ['tool', 'outcome', 'question', 'plan'] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

const APPROVAL_STATES = ['pending', 'approved', 'denied', 'answered', 'expired', 'cancelled'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

const DECISIONS = ['approve', 'edit', 'respond', 'retry', 'deny'] as const;
export type DecisionName = (typeof DECISIONS)[number];

const GRANT_SCOPES = ['once', 'session', 'always'] as const;
export type GrantScope = (typeof GRANT_SCOPES)[number];

const GRANT_MATCHES = ['tool', 'arguments'] as const;
export type GrantMatch = (typeof GRANT_MATCHES)[number];

/** What a person writes in the place of a result, or as an answer, in characters of JSON. */
export const MAX_CONTENT = 256 * 1024;

const CONTENT_TEXT =
  'Text in the place of a result or a plan; for a question, an object that fits its schema.';

const DIGEST_EXAMPLE = '9b2d6c0f4e1a7385c6d9f0b1a2e3d4c5f60718293a4b5c6d7e8f90a1b2c3d4e5';

const ARGUMENTS_EXAMPLE = { path: 'draft.txt' };

/** Any JSON value. */
const AnyValue = Type.Unsafe<unknown>({
  type: ['object', 'array', 'string', 'number', 'boolean', 'null'],
  // Generators of clients want to know what a list holds.
  items: {},
});

export const ApprovalQuestion = Type.Object(
  {
    message: Type.String({ description: 'What the server asks.' }),
    schema: freeObject({ description: 'JSON Schema of the answer.' }),
    server: Type.String({ description: 'Name of the MCP server that asks.' }),
  },
  { $id: 'ApprovalQuestion' },
);
export type ApprovalQuestion = Static<typeof ApprovalQuestion>;

export const Decision = Type.Object(
  {
    decision: oneOf(DECISIONS, { examples: ['approve'] }),
    arguments: nullableObject({ description: '`edit`: what it runs with.' }),
    content: { ...AnyValue, description: CONTENT_TEXT, examples: [null] },
    reason: nullable(Type.String({ description: 'The model is told.' })),
    scope: oneOf(GRANT_SCOPES, { examples: ['session'] }),
    match: oneOf(GRANT_MATCHES, { examples: ['tool'] }),
    digest: nullable(
      Type.String({ description: 'Of the call that may run, as edited.', examples: [DIGEST_EXAMPLE] }),
    ),
    grant_id: nullable(Type.String({ description: 'What remembers it.', examples: ['grant_8c1f5e2a90b4'] })),
    decided_by: nullable(Type.String({ description: "The client's word.", examples: ['Ada'] })),
    request_id: nullable(Type.String({ description: 'Of the request that decided it.' })),
  },
  { $id: 'Decision' },
);
export type Decision = Static<typeof Decision>;

export const Approval = Type.Object(
  {
    confirmation_id: Type.String({ examples: ['conf_3f0a9c1d77be'] }),
    kind: oneOf(APPROVAL_KINDS, {
      description:
        '`tool`: may this call run? `outcome`: it ran when the server was stopped, and nobody knows how that ended. `question`: an MCP server asks. `plan`: may an agent do this?',
      examples: ['tool'],
    }),
    state: oneOf(APPROVAL_STATES, { examples: ['pending'] }),
    session_id: Type.String({ examples: ['b5a3d7e4c9'] }),
    turn_id: Type.String({ description: 'The turn that waits for it.', examples: ['turn_0f3c5a9d21be'] }),
    message_id: nullable(
      Type.String({ description: 'The message with the call.', examples: ['194e786d07'] }),
    ),
    call_index: nullable(Type.Integer({ examples: [0] })),
    tool_call_id: nullable(Type.String({ examples: ['call_ab12cd34'] })),
    tool_name: nullable(Type.String({ examples: ['delete_file'] })),
    agent_name: nullable(Type.String()),
    agent_session_id: nullable(Type.String()),
    arguments: nullableObject({ description: 'With which it would run.', examples: [ARGUMENTS_EXAMPLE] }),
    input_schema: nullableObject({
      description: 'JSON Schema of the arguments, for `edit`.',
      examples: [{ type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }],
    }),
    digest: nullable(
      Type.String({
        description: 'Of tool and arguments: a decision that names it is about just this call.',
        examples: [DIGEST_EXAMPLE],
      }),
    ),
    rule: nullable(Type.String({ description: 'Why it is asked.', examples: ['execution_policy'] })),
    question: nullableRef(ApprovalQuestion),
    plan: nullable(Type.String({ description: 'Of an agent.' })),
    previous: Type.Unsafe<{ attempt: number; started_at: string } | null>({
      type: ['object', 'null'],
      description: '`outcome`: the run whose end nobody knows.',
      required: ['attempt', 'started_at'],
      properties: { attempt: Type.Integer(), started_at: Timestamp },
    }),
    allowed_decisions: Type.Array(oneOf(DECISIONS), { examples: [['approve', 'edit', 'respond', 'deny']] }),
    allowed_scopes: Type.Array(oneOf(GRANT_SCOPES), { examples: [['once', 'session', 'always']] }),
    created_at: Timestamp,
    expires_at: nullable(Timestamp),
    decided_at: nullable(Timestamp),
    decision: nullableRef(Decision),
  },
  { $id: 'Approval' },
);
export type Approval = Static<typeof Approval>;

const decideFields = {
  decision: oneOf(DECISIONS, {
    description:
      '`approve` and `edit` let the call run; `respond` gives its result, and nothing runs; `retry` runs a call again whose outcome is unknown; `deny`. `allowed_decisions` says which there are.',
    examples: ['approve'],
  }),
  arguments: Type.Optional(
    freeObject({
      description: '`edit`, and only there: what to run with instead.',
      examples: [ARGUMENTS_EXAMPLE],
    }),
  ),
  content: Type.Optional({ ...AnyValue, description: CONTENT_TEXT, examples: ['It is deleted already.'] }),
  reason: Type.Optional(
    Type.String({ maxLength: 2000, description: 'The model is told.', examples: ['Keep the drafts.'] }),
  ),
  scope: Type.Optional(
    oneOf(GRANT_SCOPES, {
      default: 'once',
      description: 'Whether later calls of the tool may run unasked: in this session, or in all.',
    }),
  ),
  match: Type.Optional(
    oneOf(GRANT_MATCHES, {
      default: 'tool',
      description: 'Which later calls: all of this tool, or those with these very arguments.',
    }),
  ),
  digest: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'That of the approval: refused when it is about another call meanwhile.',
      examples: [DIGEST_EXAMPLE],
    }),
  ),
  decided_by: Type.Optional(
    Type.String({ maxLength: 200, description: 'Who decides; noted as you say it.', examples: ['Ada'] }),
  ),
};

export const DecideInput = Type.Object(decideFields, { $id: 'DecideInput' });
export type DecideInput = Static<typeof DecideInput>;

/** Decided together: all, or none. */
const MAX_DECISIONS = 128;

export const DecideManyInput = Type.Object(
  {
    decisions: Type.Array(Type.Object({ confirmation_id: Type.String({ maxLength: 64 }), ...decideFields }), {
      minItems: 1,
      maxItems: MAX_DECISIONS,
      examples: [
        [
          { confirmation_id: 'conf_3f0a9c1d77be', decision: 'approve' },
          { confirmation_id: 'conf_81d2b6a40c5f', decision: 'deny', reason: 'Keep the drafts.' },
        ],
      ],
    }),
  },
  { $id: 'DecideManyInput' },
);
export type DecideManyInput = Static<typeof DecideManyInput>;

export const ApprovalList = Type.Object({ approvals: Type.Array(ref(Approval)) }, { $id: 'ApprovalList' });

export const ApprovalPage = Type.Object(
  { approvals: Type.Array(ref(Approval)), next_cursor: nullable(Type.String()) },
  { $id: 'ApprovalPage' },
);

export const Grant = Type.Object(
  {
    grant_id: Type.String({ examples: ['grant_8c1f5e2a90b4'] }),
    scope: oneOf(['session', 'always'] as const, { examples: ['session'] }),
    session_id: nullable(Type.String({ description: 'Null: all sessions.', examples: ['b5a3d7e4c9'] })),
    tool_name: Type.String({ examples: ['delete_file'] }),
    match: oneOf(GRANT_MATCHES, { examples: ['tool'] }),
    arguments: nullableObject({ description: '`match: arguments`: the only ones that it is about.' }),
    created_at: Timestamp,
    confirmation_id: Type.String({
      description: 'The approval with which it began.',
      examples: ['conf_3f0a9c1d77be'],
    }),
    valid: Type.Boolean({
      description: 'false: the tool has changed since, or is not there, and calls are asked about again.',
    }),
  },
  { $id: 'Grant' },
);
export type Grant = Static<typeof Grant>;

export const GrantList = Type.Object({ grants: Type.Array(ref(Grant)) }, { $id: 'GrantList' });

/** The original's way to decide. */
export const ConfirmToolInput = Type.Object(
  {
    confirmation_id: Type.String({ maxLength: 200, examples: ['conf_3f0a9c1d77be'] }),
    approved: Type.Boolean({ examples: [true] }),
  },
  { $id: 'ConfirmToolInput' },
);

export const ToolConfirmed = Type.Object(
  {
    success: Type.Boolean({ examples: [true] }),
    tool_name: Type.String({ examples: ['delete_file'] }),
    message: Type.String({ examples: ["Tool 'delete_file' execution approved"] }),
  },
  { $id: 'ToolConfirmed' },
);
export type ToolConfirmed = Static<typeof ToolConfirmed>;
