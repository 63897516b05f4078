// Context window: what a session stores about it, and the receipt that every turn gives.
import { type Static, Type } from 'typebox';
import { nullable, oneOf, Timestamp } from './schema.ts';

export const WINDOW_REASONS = [
  'initial_setup',
  'usage_threshold',
  'model_change',
  'no_adjustment',
  'manual_override',
  'load_failed',
] as const;
export type WindowReason = (typeof WINDOW_REASONS)[number];

const Tokens = Type.Integer({ minimum: 4, maximum: 2 ** 31 - 1 });

/** What a client may say of a session's window. */
export const ContextWindowInput = Type.Object(
  {
    dynamic_enabled: Type.Optional(
      Type.Boolean({ description: 'false: mochi leaves the window to the engine.' }),
    ),
    current_window: Type.Optional(Tokens),
    manual_override: Type.Optional(
      Type.Boolean({
        description:
          'true: `current_window` is used as it is, clamped to the model. false: the window is chosen by need again, and told as it was before.',
      }),
    ),
  },
  { $id: 'ContextWindowInput' },
);
export type ContextWindowInput = Static<typeof ContextWindowInput>;

export const ContextWindowConfig = Type.Object(
  {
    dynamic_enabled: Type.Boolean(),
    current_window: Type.Integer(),
    last_adjustment: oneOf(WINDOW_REASONS),
    adjustment_history: Type.Array(
      Type.Object({
        reason: Type.String(),
        window: Type.Integer(),
        usage_tokens: Type.Integer(),
        timestamp: nullable(Timestamp),
      }),
    ),
    manual_override: Type.Boolean(),
  },
  { $id: 'ContextWindowConfig' },
);
export type ContextWindowConfig = Static<typeof ContextWindowConfig>;

/** The seed's three numbers in every chat answer. */
export const ContextWindowInfo = Type.Object(
  { current_window: Type.Integer(), usage_tokens: Type.Integer(), reason: oneOf(WINDOW_REASONS) },
  {
    $id: 'ContextWindowInfo',
    examples: [{ current_window: 8192, usage_tokens: 38, reason: 'initial_setup' }],
  },
);
export type ContextWindowInfo = Static<typeof ContextWindowInfo>;

/** Why the engine cannot go on from what it had read for the session before. */
export const CACHE_BREAKS = [
  'system_prompt',
  'tools',
  'edit',
  'model',
  'options',
  'left_out',
  'reload',
] as const;
export type CacheBreak = (typeof CACHE_BREAKS)[number];

/** A first turn. */
export const RECEIPT_EXAMPLE = {
  window: 8192,
  window_reason: 'initial_setup',
  planned_tokens: 29,
  prompt_tokens: 31,
  output_tokens: 7,
  answer_limit: 8064,
  num_predict_clamped: false,
  messages_sent: 1,
  messages_left_out: 0,
  summary_used: false,
  loaded_window: 8192,
  reload_expected: true,
  prefix_reused: 0,
  cache_break: null,
  suspected_truncation: false,
  model: { name: 'llama3.2:latest', digest: 'a80c4f17acd5' },
} as const;

/** What was planned, sent and left out: nothing is cut without a word. */
export const ContextReceipt = Type.Object(
  {
    window: nullable(Type.Integer({ description: 'Tokens asked of the engine; null: its own default.' })),
    window_reason: oneOf(WINDOW_REASONS, {
      description:
        '`load_failed`: a larger window could not be loaded for want of memory, and something is missing for it.',
    }),
    planned_tokens: Type.Integer({ description: 'Estimate of the prompt.' }),
    prompt_tokens: nullable(Type.Integer({ description: 'Measured by the engine.' })),
    output_tokens: nullable(Type.Integer()),
    answer_limit: nullable(
      Type.Integer({
        description:
          'Tokens that the answer may take, sent as `num_predict`: the room that the prompt leaves in the window, or what the client asked for where that is less. An answer that reaches it ends with `finish_reason: "length"`. Null: the window is left to an engine that has not told it.',
      }),
    ),
    num_predict_clamped: Type.Boolean({
      description: 'The client asked for a longer answer than there is room for: `answer_limit` was sent.',
    }),
    messages_sent: Type.Integer(),
    messages_left_out: Type.Integer({ description: 'Older messages of the path that were not sent.' }),
    summary_used: Type.Boolean({ description: 'Whether a summary stood for what was left out.' }),
    loaded_window: nullable(
      Type.Integer({ description: 'The window with which the engine holds the model; null until known.' }),
    ),
    reload_expected: Type.Boolean({
      description: 'The engine was expected to load the model for this window first.',
    }),
    prefix_reused: Type.Integer({
      description: 'Messages at the start of the prompt that the engine had read for this session before.',
    }),
    cache_break: Type.Unsafe<CacheBreak | null>({
      type: ['string', 'null'],
      enum: [...CACHE_BREAKS, null],
      description:
        'Why the engine cannot go on from the prompt before (`reload`: it does not hold the model any more); null: it can, or this is the first.',
    }),
    suspected_truncation: Type.Boolean({
      description: 'The engine counted far fewer tokens than were sent: it may have cut the prompt.',
    }),
    model: Type.Optional(
      Type.Object(
        {
          name: Type.String(),
          digest: nullable(
            Type.String({ description: 'What the name stood for; null: the engine does not say.' }),
          ),
        },
        { description: 'The model that was asked; missing in receipts of older versions.' },
      ),
    ),
    engine_restarted: Type.Optional(
      Type.Boolean({
        description:
          'true: the engine had the model in memory and said nothing (`engine_stalled`), so it was made to load it anew, and was asked again.',
      }),
    ),
    model_changed: Type.Optional(
      Type.Object(
        { from: Type.String(), to: Type.String() },
        {
          description:
            'Once, where the name stands for another model than at the turn before: the digests of both.',
        },
      ),
    ),
    tools_offered: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Names of the tools that the model was offered, in this order: none where it cannot call tools, and in the call that writes what a `format` asks for. Missing, as the next two: the session names no tools.',
      }),
    ),
    tools_missing: Type.Optional(
      Type.Array(Type.String(), { description: 'Entries of the session that stand for no tool there is.' }),
    ),
    tools_tokens: Type.Optional(Type.Integer({ description: 'Estimate of what they take of the prompt.' })),
  },
  {
    $id: 'ContextReceipt',
    examples: [RECEIPT_EXAMPLE],
  },
);
export type ContextReceipt = Static<typeof ContextReceipt>;
