// Tools: what a session may use, and what a model asked for.
import { type Static, Type } from 'typebox';
import { FreeObject, nullable, oneOf } from './schema.ts';

export const TOOL_SOURCE_KINDS = ['python', 'native', 'mcp', 'builtin', 'agent'] as const;
export type ToolSourceKind = (typeof TOOL_SOURCE_KINDS)[number];

export const EXECUTION_POLICIES = ['always_confirm', 'never_confirm'] as const;

export const ToolSettings = Type.Object(
  {
    tools: Type.Array(Type.String({ maxLength: 200 }), {
      maxItems: 500,
      default: [],
      description:
        'Names of the tools that the model is offered; `read_*` and `mcp__server` stand for several. Looked up at the start of each turn.',
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

/** Beyond so many, small models choose badly; beyond twice as many, hardly at all. */
export const MANY_TOOLS = 16;

/** How deep the arguments of a call may be nested: a body that holds them can be read. */
export const MAX_ARGUMENT_DEPTH = 50;
/** Calls of one answer. */
export const MAX_CALLS = 512;
/** Calls of one message in a file: other programs and earlier versions have other bounds. */
export const MAX_IMPORTED_CALLS = 4096;

/** A call as it is stored in a message: the original's shape and nothing more. */
export const StoredToolCall = Type.Object(
  { function: Type.Object({ name: Type.String(), arguments: FreeObject }) },
  { $id: 'ToolCall' },
);
export type StoredToolCall = Static<typeof StoredToolCall>;

/** Where a call is run: here, or by the client that brought the tool. */
export const RUN_PLACES = ['server', 'client'] as const;

/** A call as it is told: those that are left to a client can be answered by it. */
export const AnswerToolCall = Type.Object(
  {
    ...StoredToolCall.properties,
    id: Type.Optional(
      Type.String({
        description:
          'What `tool_results` answers it by: of calls that a client runs, and of those beside them.',
      }),
    ),
    runs_at: Type.Optional(
      oneOf(RUN_PLACES, { description: '`client`: it is open until `tool_results` answers it.' }),
    ),
  },
  { $id: 'AnswerToolCall' },
);
export type AnswerToolCall = Static<typeof AnswerToolCall>;

/** A tool that the client runs itself. */
export const ClientTool = Type.Object(
  {
    name: Type.String({
      pattern: '^(?!agent$|mcp__)[A-Za-z0-9_-]{1,64}$',
      description: "Not `agent`, nor `mcp__…`. Of a session's tool of the same name it takes the place.",
      examples: ['open_file'],
    }),
    description: Type.Optional(
      Type.String({ maxLength: 10_000, default: '', examples: ['Show a file in the editor.'] }),
    ),
    parameters: Type.Optional(
      Type.Unsafe<Record<string, unknown>>({
        type: 'object',
        description: 'JSON Schema of an object; left out: it takes no arguments.',
        examples: [{ type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }],
      }),
    ),
  },
  { $id: 'ClientTool' },
);
export type ClientTool = Static<typeof ClientTool>;

/** What came of a call that the client ran. */
export const ClientToolResult = Type.Object(
  {
    tool_call_id: Type.String({ minLength: 1, maxLength: 200, examples: ['call_1f0a2b3c'] }),
    content: Type.String({ maxLength: 10 * 1024 * 1024, examples: ['Shown.'] }),
    is_error: Type.Optional(
      Type.Boolean({ default: false, description: 'The model reads `Error: ` before the content.' }),
    ),
  },
  { $id: 'ClientToolResult' },
);
export type ClientToolResult = Static<typeof ClientToolResult>;

export const ExecutedToolCall = Type.Object(
  { name: Type.String(), arguments: FreeObject, success: Type.Boolean() },
  { $id: 'ExecutedToolCall' },
);
export type ExecutedToolCall = Static<typeof ExecutedToolCall>;

/** Arguments of `add_numbers`, and what it says: the example of everything about tools. */
const EXAMPLE_SCHEMA = {
  type: 'object',
  required: ['a', 'b'],
  properties: {
    a: { type: 'integer', description: 'The first number' },
    b: { type: 'integer', description: 'The second number' },
  },
};

export const ToolInfo = Type.Object(
  {
    name: Type.String({ examples: ['add_numbers'] }),
    description: Type.String({ examples: ['Add two numbers together.'] }),
    parameters: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description: 'JSON Schema of the arguments as models are shown it: flat, limits told in words.',
      examples: [EXAMPLE_SCHEMA],
    }),
    input_schema: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description: 'The whole JSON Schema, by which arguments are validated.',
      examples: [{ ...EXAMPLE_SCHEMA, additionalProperties: false }],
    }),
    source: Type.Object({
      kind: oneOf(TOOL_SOURCE_KINDS, { examples: ['python'] }),
      group: Type.String({ description: 'Its folder, or its MCP server.', examples: ['math_tools'] }),
    }),
    read_only: Type.Boolean({ description: 'It changes nothing. Never a reason to let it run unasked.' }),
    fingerprint: Type.String({
      description: 'Another one when source, name, description or schema of the tool changes.',
      examples: ['5f1d2c0e9b7a48d36c1f5e8a7b9d0c2e4f6a8b1c3d5e7f90123456789abcdef0'],
    }),
    available: Type.Boolean({ description: 'Whether it can be offered and run now.' }),
    problem: nullable(Type.String({ description: 'Why it cannot.' })),
  },
  { $id: 'ToolInfo' },
);
export type ToolInfo = Static<typeof ToolInfo>;

export const ToolList = Type.Object(
  { tools: Type.Record(Type.String(), Type.Unsafe<ToolInfo>({ $ref: 'ToolInfo#' })) },
  { $id: 'ToolList' },
);
export type ToolList = Static<typeof ToolList>;

export const ToolsReloaded = Type.Object(
  {
    success: Type.Boolean({
      description: 'false: a file of the operator cannot be read, and everything is as it was.',
    }),
    tools_count: Type.Integer({ minimum: 0, examples: [3] }),
    message: Type.String({ examples: ['Successfully reloaded 3 tools'] }),
    problems: Type.Array(
      Type.Object({
        source: Type.String({ examples: ['python:weather'] }),
        message: Type.String({
          examples: ['Tool "add" is not used. python:math has one of that name already.'],
        }),
      }),
      { description: 'What cannot be used, and why; it hides nothing else.' },
    ),
  },
  { $id: 'ToolsReloaded' },
);
export type ToolsReloaded = Static<typeof ToolsReloaded>;

export const RunToolInput = Type.Object(
  {
    arguments: Type.Optional(
      Type.Unsafe<Record<string, unknown> | string>({
        type: ['object', 'string'],
        description: 'As a model would give them: an object, or its JSON text. None where left out.',
        examples: [{ a: 1, b: 2 }],
      }),
    ),
  },
  { $id: 'RunToolInput' },
);

export const ToolRun = Type.Object(
  {
    execution_id: Type.String({ examples: ['exec_0f3c5a9d21be'] }),
    tool_name: Type.String({ examples: ['add_numbers'] }),
    success: Type.Boolean(),
    result: Type.String({ description: 'What the tool answered; empty when it failed.', examples: ['3'] }),
    error: nullable(Type.String({ description: 'What a model would be told.' })),
    duration_ms: Type.Integer({ minimum: 0, examples: [12] }),
    repairs: Type.Array(Type.String(), {
      description: 'What was changed in the arguments before they were validated.',
      examples: [['/a: text read as integer']],
    }),
    truncated: Type.Boolean({ description: 'The result was cut at the limit.' }),
  },
  { $id: 'ToolRun' },
);
export type ToolRun = Static<typeof ToolRun>;
