// Session: a conversation with its settings.
import { type Static, Type } from 'typebox';
import { Approval } from './approval.ts';
import { ContextReceipt, ContextWindowConfig, ContextWindowInput, WINDOW_REASONS } from './context-window.ts';
import { Message } from './message.ts';
import { PROMPT_LENGTH, PromptContent } from './prompt.ts';
import { FreeObject, nullable, nullableRef, oneOf, ref, Timestamp } from './schema.ts';
import {
  AgentSettings,
  AgentSettingsInput,
  EXECUTION_POLICIES,
  ToolSettings,
  ToolSettingsInput,
} from './tool.ts';

export const SESSION_KINDS = ['chat', 'agent'] as const;
/** `agent`: a session in which an agent works, kept out of the lists. */
export type SessionKind = (typeof SESSION_KINDS)[number];

/** Longest name of a model, and of a label such as `source_file`, in characters. */
const NAME_LENGTH = 512;
/** Longest title of a client, in characters. */
export const SESSION_TITLE_LENGTH = 500;

export const ModelName = Type.String({ minLength: 1, maxLength: NAME_LENGTH, examples: ['qwen3-0.6b'] });
const Title = nullable(
  Type.String({
    maxLength: SESSION_TITLE_LENGTH,
    description: 'A title of the client is never replaced; null clears it, and none is written again.',
  }),
);
const Metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  description: 'A free JSON object of the client, at most 16 kB.',
});

export const SessionSummary = Type.Object(
  { summary: Type.String(), topics: Type.Array(Type.String()) },
  { $id: 'SessionSummary' },
);
export type SessionSummary = Static<typeof SessionSummary>;

export const sessionFields = {
  session_id: Type.String({ examples: ['b5a3d7e4c9'] }),
  model: Type.String({ examples: ['qwen3-0.6b'] }),
  created_at: Timestamp,
  updated_at: Timestamp,
  message_count: Type.Integer({ description: 'Messages on the active path, the system message included.' }),
  title: nullable(
    Type.String({ description: "The client's, or a few words written after the first answer." }),
  ),
  metadata: FreeObject,
  tool_settings: ref(ToolSettings),
  agent_settings: ref(AgentSettings),
  context_window: ref(ContextWindowConfig),
  summary_model: nullable(Type.String()),
  active_turn: nullable(Type.String({ description: 'Id of the turn that is running or waiting.' })),
};

export const Session = Type.Object(sessionFields, { $id: 'Session' });
export type Session = Static<typeof Session>;

export const SessionWithMessages = Type.Object(
  { ...sessionFields, messages: Type.Array(ref(Message)) },
  { $id: 'SessionWithMessages' },
);

export const listItemFields = {
  session_id: Type.String(),
  model: Type.String(),
  title: nullable(Type.String()),
  created_at: Timestamp,
  updated_at: Timestamp,
  message_count: Type.Integer(),
  summary: nullableRef(SessionSummary),
  preview: Type.String({ description: 'First user message, at most 100 characters.' }),
  metadata: FreeObject,
  active_turn: nullable(Type.String()),
};

export const SessionListItem = Type.Object(
  {
    ...listItemFields,
    kind: Type.Optional(
      oneOf(SESSION_KINDS, { description: 'Only with `include_agents`. `agent`: an agent chat.' }),
    ),
    unlisted: Type.Optional(
      Type.Literal(true, { description: 'Only with `unlisted`: it is in no other list, and goes some day.' }),
    ),
  },
  { $id: 'SessionListItem' },
);
export type SessionListItem = Static<typeof SessionListItem>;

const settingsFields = {
  tool_settings: Type.Optional(nullableRef(ToolSettingsInput)),
  agent_settings: Type.Optional(nullableRef(AgentSettingsInput)),
  context_window: Type.Optional(nullableRef(ContextWindowInput)),
  title: Type.Optional(Title),
  summary_model: Type.Optional(nullable(ModelName)),
};

export const CreateSession = Type.Object(
  {
    model: Type.Optional(
      nullable(
        Type.String({
          ...ModelName,
          description: 'Left out or null: MOCHI_DEFAULT_MODEL, else the first installed one.',
        }),
      ),
    ),
    system_prompt: Type.Optional(
      nullable(
        Type.String({
          maxLength: PROMPT_LENGTH,
          pattern: '^$|\\S',
          description: 'Becomes message 0; null or empty: none. Only blanks are refused.',
        }),
      ),
    ),
    system_prompt_source_file: Type.Optional(
      nullable(
        Type.String({
          maxLength: NAME_LENGTH,
          description: 'With a text: a label, stored beside it. Alone: the system prompt file to read.',
        }),
      ),
    ),
    ...settingsFields,
    context_window_config: Type.Optional(nullableRef(ContextWindowInput)),
    metadata: Type.Optional(
      Type.Unsafe<Record<string, unknown> | null>({ ...Metadata, type: ['object', 'null'] }),
    ),
  },
  {
    $id: 'CreateSession',
    examples: [{ system_prompt: 'You are a pirate. Always respond like a pirate.' }, {}],
  },
);
export type CreateSession = Static<typeof CreateSession>;

export const PatchSession = Type.Object(
  {
    model: Type.Optional(nullable(ModelName)),
    ...settingsFields,
    metadata: Type.Optional(
      Type.Unsafe<Record<string, unknown> | null>({ ...Metadata, type: ['object', 'null'] }),
    ),
  },
  { $id: 'PatchSession', examples: [{ title: 'Capitals' }] },
);
export type PatchSession = Static<typeof PatchSession>;

export const SystemPromptInput = Type.Object(
  {
    content: Type.Optional(nullable(PromptContent)),
    source_file: Type.Optional(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: NAME_LENGTH,
          description: 'With `content`: a label, stored beside it. Alone: the system prompt file to read.',
        }),
      ),
    ),
  },
  {
    $id: 'SystemPromptInput',
    examples: [{ content: 'Answer in one sentence.' }, { source_file: 'reviewer.md' }],
    anyOf: [{ required: ['content'] }, { required: ['source_file'] }],
  },
);
export type SystemPromptInput = Static<typeof SystemPromptInput>;

export const SystemPromptAnswer = Type.Object(
  { content: Type.String(), source_file: nullable(Type.String()), message_index: Type.Literal(0) },
  {
    $id: 'SystemPromptAnswer',
    examples: [{ content: 'Answer in one sentence.', source_file: null, message_index: 0 }],
  },
);
export type SystemPromptAnswer = Static<typeof SystemPromptAnswer>;

export const EditMessageInput = Type.Object(
  { content: Type.String({ minLength: 1, pattern: '\\S' }) },
  { $id: 'EditMessageInput', examples: [{ content: 'What is the capital of Italy?' }] },
);

export const EditedMessage = Type.Object(
  {
    message: ref(Message),
    message_index: Type.Integer(),
    message_count: Type.Integer(),
    session_id: Type.String(),
  },
  { $id: 'EditedMessage' },
);
export type EditedMessage = Static<typeof EditedMessage>;

export const HeadInput = Type.Object(
  {
    message_id: Type.String({ examples: ['9191228aff'] }),
    descend: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'true: not to end at this message, but to go on to the end of its branch: to the newest message of all that follow it.',
      }),
    ),
  },
  { $id: 'HeadInput', examples: [{ message_id: '9191228aff', descend: true }] },
);
export type HeadInput = Static<typeof HeadInput>;

export const ForkInput = Type.Object(
  { message_id: Type.Optional(nullable(Type.String({ examples: ['9191228aff'] }))) },
  { $id: 'ForkInput' },
);

export const SessionHead = Type.Object(
  { session_id: Type.String(), head: nullable(Type.String()), message_count: Type.Integer() },
  {
    $id: 'SessionHead',
    examples: [{ session_id: 'b5a3d7e4c9', head: '9191228aff', message_count: 1 }],
  },
);
export type SessionHead = Static<typeof SessionHead>;

/** What a client shows beside a conversation. */
export const SessionStatus = Type.Object(
  {
    session_id: Type.String(),
    model: Type.String(),
    title: nullable(Type.String()),
    message_count: Type.Integer(),
    active_turn: nullable(Type.String()),
    context_window: Type.Object({
      dynamic_enabled: Type.Boolean(),
      current_window: Type.Integer(),
      model_max_context: nullable(
        Type.Integer({ description: 'What the model was trained for; null when the engine does not say.' }),
      ),
      last_adjustment_reason: oneOf(WINDOW_REASONS),
      manual_override: Type.Boolean(),
    }),
    context: nullableRef(ContextReceipt),
    approvals: Type.Array(ref(Approval), { description: 'What a person has to decide, the oldest first.' }),
    tools_enabled: Type.Boolean(),
    active_tools: Type.Array(Type.String()),
    tool_warnings: Type.Array(Type.String(), {
      description:
        'Why the tools may not serve: the model cannot call any, or is offered too many to choose from.',
    }),
    execution_policy: oneOf(EXECUTION_POLICIES),
    agents_enabled: Type.Boolean(),
    enabled_agents: Type.Array(Type.String()),
    agents_available: Type.Array(Type.String(), {
      description: 'Those of `enabled_agents` that can work now.',
    }),
    system_prompt_file: nullable(Type.String({ description: 'The label of the system prompt.' })),
    summary: nullableRef(SessionSummary),
    summary_model: nullable(Type.String()),
  },
  { $id: 'SessionStatus' },
);
export type SessionStatus = Static<typeof SessionStatus>;
