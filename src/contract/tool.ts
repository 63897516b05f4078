// Tools: what a session may use, and what a model asked for.
import { type Static, Type } from 'typebox';
import { FreeObject, oneOf } from './schema.ts';

export const EXECUTION_POLICIES = ['always_confirm', 'never_confirm'] as const;

export const ToolSettings = Type.Object(
  {
    tools: Type.Array(Type.String({ maxLength: 200 }), {
      maxItems: 500,
      default: [],
      description: 'Names of the tools that the model is offered.',
    }),
    execution_policy: oneOf(EXECUTION_POLICIES, {
      default: 'always_confirm',
      description: 'Whether a call waits for an approval.',
    }),
    tool_policies: Type.Record(Type.String(), oneOf(EXECUTION_POLICIES), {
      maxProperties: 500,
      default: {},
      description: 'Policies of single tools; they win over `execution_policy`.',
    }),
  },
  { $id: 'ToolSettings' },
);
export type ToolSettings = Static<typeof ToolSettings>;

/** What a client may leave out takes its default. */
export const ToolSettingsInput = Type.Partial(ToolSettings, { $id: 'ToolSettingsInput' });
export type ToolSettingsInput = Static<typeof ToolSettingsInput>;

export const AgentSettings = Type.Object(
  { enabled_agents: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 500, default: [] }) },
  { $id: 'AgentSettings' },
);
export type AgentSettings = Static<typeof AgentSettings>;

export const AgentSettingsInput = Type.Partial(AgentSettings, { $id: 'AgentSettingsInput' });
export type AgentSettingsInput = Static<typeof AgentSettingsInput>;

/** How deep the arguments of a call may be nested: a body that holds them can be read. */
export const MAX_ARGUMENT_DEPTH = 50;
/** Calls of one answer. */
export const MAX_CALLS = 512;
/** Calls of one message in a file: other programs and earlier versions have other bounds. */
export const MAX_IMPORTED_CALLS = 4096;

/** A call as it is stored in a message and shown to clients: the original's shape and nothing more. */
export const StoredToolCall = Type.Object(
  { function: Type.Object({ name: Type.String(), arguments: FreeObject }) },
  { $id: 'ToolCall' },
);
export type StoredToolCall = Static<typeof StoredToolCall>;

export const ExecutedToolCall = Type.Object(
  { name: Type.String(), arguments: FreeObject, success: Type.Boolean() },
  { $id: 'ExecutedToolCall' },
);
export type ExecutedToolCall = Static<typeof ExecutedToolCall>;
