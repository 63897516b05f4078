// Chat: the request of both chat routes and the plain answer.
import { type Static, Type } from 'typebox';
import { Approval } from './approval.ts';
import { ContextReceipt, ContextWindowInfo, RECEIPT_EXAMPLE } from './context-window.ts';
import { FinishReasonField } from './message.ts';
import { FreeObject, nullable, nullableRef, oneOf, ref, Timestamp } from './schema.ts';
import {
  AgentSettingsInput,
  AnswerToolCall,
  ClientTool,
  ClientToolResult,
  ExecutedToolCall,
  ToolSettingsInput,
} from './tool.ts';

const INT32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const Whole = Type.Integer(INT32);
const Finite = Type.Number({ minimum: -1e6, maximum: 1e6 });
const Stop = Type.String({ minLength: 1, maxLength: 1000 });

/** Engine options of one turn. Names that are not listed pass as they are: engines ignore what they do not know. */
export const EngineOptions = Type.Object(
  {
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    top_k: Type.Optional(Whole),
    min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    typical_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    seed: Type.Optional(Whole),
    num_predict: Type.Optional(Type.Integer({ minimum: -2, maximum: INT32.maximum })),
    stop: Type.Optional(Type.Union([Stop, Type.Array(Stop, { maxItems: 64 })])),
    repeat_last_n: Type.Optional(Whole),
    repeat_penalty: Type.Optional(Finite),
    presence_penalty: Type.Optional(Finite),
    frequency_penalty: Type.Optional(Finite),
    num_ctx: Type.Optional(
      Type.Integer({
        minimum: 4,
        maximum: INT32.maximum,
        description: 'A manual context window for this turn, in tokens.',
      }),
    ),
    num_keep: Type.Optional(Whole),
    num_batch: Type.Optional(Whole),
    num_gpu: Type.Optional(Whole),
    main_gpu: Type.Optional(Whole),
    num_thread: Type.Optional(Whole),
    draft_num_predict: Type.Optional(Whole),
    use_mmap: Type.Optional(Type.Boolean()),
  },
  {
    $id: 'EngineOptions',
    maxProperties: 64,
    additionalProperties: Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] }),
  },
);
export type EngineOptions = Static<typeof EngineOptions>;

export const BUSY_POLICIES = ['queue', 'reject', 'interrupt'] as const;
export type BusyPolicy = (typeof BUSY_POLICIES)[number];

export const DISCONNECT_POLICIES = ['cancel', 'continue'] as const;
export type DisconnectPolicy = (typeof DISCONNECT_POLICIES)[number];

export const APPROVAL_POLICIES = ['wait', 'fail', 'return'] as const;
export type ApprovalPolicy = (typeof APPROVAL_POLICIES)[number];

export const CHAT_MODES = ['regenerate', 'continue'] as const;
export type ChatMode = (typeof CHAT_MODES)[number];

/** Longest message, in characters; the body limit of 10 MiB comes first for most texts. */
const MESSAGE_LENGTH = 10 * 1024 * 1024;

/** Base64 in one line or many, with what a browser or a command puts before it. */
const IMAGE_PATTERN = '^\\s*(data:image/[A-Za-z0-9.+-]+;base64,)?[A-Za-z0-9+/\\r\\n]+={0,2}\\s*$';

export const ChatRequest = Type.Object(
  {
    message: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        pattern: '\\S',
        maxLength: MESSAGE_LENGTH,
        default: null,
        description: 'The new user message; null: see `mode`.',
      }),
    ),
    mode: Type.Optional(
      oneOf(CHAT_MODES, {
        default: 'regenerate',
        description:
          'With `message: null`. `regenerate` answers the last user message anew, `continue` goes on after the last message.',
      }),
    ),
    replaces: Type.Optional(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: 64,
          description:
            'Id of a message of the session, on whatever branch. With `message`: of a user message, beside which the new one is put, and answered. With `message: null`: of an answer, which is made anew. What is replaced stays in the tree.',
        }),
      ),
    ),
    think: Type.Optional(
      Type.Unsafe<boolean | 'low' | 'medium' | 'high' | null>({
        anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['low', 'medium', 'high'] }, { type: 'null' }],
        default: false,
        description: 'Thinking, for models that can; silently off for the others.',
      }),
    ),
    options: Type.Optional(nullableRef(EngineOptions)),
    format: Type.Optional(
      Type.Unsafe<'json' | Record<string, unknown> | null>({
        anyOf: [{ const: 'json' }, { type: 'object' }, { type: 'null' }],
        description: 'Structured output: `"json"`, or a JSON Schema that the answer must fit.',
      }),
    ),
    images: Type.Optional(
      Type.Array(Type.String({ minLength: 4, pattern: IMAGE_PATTERN }), {
        maxItems: 16,
        description:
          'Images of the new message in base64, for models with vision; a data URI or broken lines will do. Left out: none, or with `replaces` those of the message that it replaces.',
      }),
    ),
    tool_settings: Type.Optional(
      Type.Unsafe<ToolSettingsInput | null>({
        ...nullableRef(ToolSettingsInput),
        description: "For this turn only, instead of the session's.",
      }),
    ),
    tools: Type.Optional(
      Type.Array(ref(ClientTool), {
        maxItems: 128,
        default: [],
        description:
          'Tools that the client runs itself, for this turn, beside those of the session. When the model calls one, the turn ends with `finish_reason: tool_calls`; the results come with the next request.',
      }),
    ),
    tool_results: Type.Optional(
      Type.Array(ref(ClientToolResult), {
        maxItems: 512,
        description:
          'What came of the calls of `tools`, with or without a new message; an empty list only beside one. Calls that are left out, here or by a message without results, are answered with `Error: no result was given`.',
      }),
    ),
    agent_settings: Type.Optional(
      Type.Unsafe<AgentSettingsInput | null>({
        ...nullableRef(AgentSettingsInput),
        description: "For this turn only, instead of the session's.",
      }),
    ),
    on_busy: Type.Optional(
      oneOf(BUSY_POLICIES, {
        description:
          'The session is answering: `queue` waits in line (at most 8), `reject` is refused at once, `interrupt` cancels the running turn and goes before all that wait. Left out: `queue`, except where that turn waits for an approval and nobody watches it: then `interrupt`.',
      }),
    ),
    on_disconnect: Type.Optional(
      oneOf(DISCONNECT_POLICIES, {
        description:
          'What the closing of this connection does to the turn; default: `cancel` for the stream, `continue` for the plain answer.',
      }),
    ),
    on_approval: Type.Optional(
      oneOf(APPROVAL_POLICIES, {
        description:
          'A tool call needs an approval: `wait` for it (default of the stream), `fail` before any tool of that round runs (default of the plain answer), or `return` 202 with what is to be approved while the turn waits (plain answer only).',
      }),
    ),
  },
  { $id: 'ChatRequest', examples: [{ message: 'What is the capital of France?' }] },
);
export type ChatRequest = Static<typeof ChatRequest>;

export const AnswerMessage = Type.Object(
  {
    role: oneOf(['assistant']),
    content: Type.String(),
    model: nullable(Type.String()),
    message_id: Type.String(),
    timestamp: Timestamp,
    eval_count: nullable(Type.Integer()),
    prompt_eval_count: nullable(Type.Integer()),
    finish_reason: FinishReasonField,
    tool_calls: nullable(Type.Array(ref(AnswerToolCall))),
    thinking: nullable(Type.String()),
    parsed: Type.Optional(
      Type.Unknown({
        description:
          'The value of a structured answer; thoughts, Markdown fences and prose that the model wrote around it are left out.',
      }),
    ),
  },
  { $id: 'AnswerMessage' },
);
export type AnswerMessage = Static<typeof AnswerMessage>;

export const ChatAnswer = Type.Object(
  {
    session_id: Type.String(),
    message: ref(AnswerMessage),
    tool_calls_executed: Type.Array(ref(ExecutedToolCall)),
    context_window: ref(ContextWindowInfo),
    turn_id: Type.String(),
    context: ref(ContextReceipt),
  },
  {
    $id: 'ChatAnswer',
    examples: [
      {
        session_id: 'b5a3d7e4c9',
        message: {
          role: 'assistant',
          content: 'The capital of France is Paris.',
          model: 'llama3.2:latest',
          message_id: '194e786d07',
          timestamp: '2026-02-15T09:49:38.310281Z',
          eval_count: 7,
          prompt_eval_count: 31,
          finish_reason: 'stop',
          tool_calls: null,
          thinking: null,
        },
        tool_calls_executed: [],
        context_window: { current_window: 8192, usage_tokens: 38, reason: 'initial_setup' },
        turn_id: 'turn_0f3c5a9d21be',
        context: { ...RECEIPT_EXAMPLE },
      },
    ],
  },
);
export type ChatAnswer = Static<typeof ChatAnswer>;

/** A plain answer that would have to wait for a person. */
export const WaitingAnswer = Type.Object(
  {
    session_id: Type.String({ examples: ['b5a3d7e4c9'] }),
    turn_id: Type.String({ examples: ['turn_0f3c5a9d21be'] }),
    state: Type.Literal('waiting'),
    approvals: Type.Array(ref(Approval)),
  },
  { $id: 'WaitingAnswer' },
);
export type WaitingAnswer = Static<typeof WaitingAnswer>;

/** What a chat request would do, without doing it. */
export const ChatPreview = Type.Object(
  {
    session_id: Type.String(),
    engine_request: FreeObject,
    context: ref(ContextReceipt),
    would_reload: Type.Boolean({ description: 'The engine would have to load the model first.' }),
    would_leave_out: Type.Integer({ description: 'Older messages that would not be sent.' }),
  },
  {
    $id: 'ChatPreview',
    examples: [
      {
        session_id: 'b5a3d7e4c9',
        engine_request: {
          model: 'llama3.2:latest',
          messages: [{ role: 'user', content: 'What is the capital of France?' }],
          stream: true,
          think: false,
          truncate: false,
          options: { num_ctx: 8192 },
        },
        context: {
          ...RECEIPT_EXAMPLE,
          planned_tokens: 13,
          prompt_tokens: null,
          output_tokens: null,
          loaded_window: null,
        },
        would_reload: true,
        would_leave_out: 0,
      },
    ],
  },
);
export type ChatPreview = Static<typeof ChatPreview>;
