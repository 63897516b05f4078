// Message: one entry of a conversation.
import { type Static, Type } from 'typebox';
import { nullable, oneOf, ref, Timestamp } from './schema.ts';
import { AnswerToolCall } from './tool.ts';

export const ROLES = ['system', 'user', 'assistant', 'tool'] as const;
export type Role = (typeof ROLES)[number];

export const MESSAGE_STATUSES = ['complete', 'partial', 'streaming'] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

export const FINISH_REASONS = ['stop', 'length', 'tool_calls'] as const;
/** How a model's message ended: by itself, at a limit of its length, or with calls of tools. */
export type FinishReason = (typeof FINISH_REASONS)[number];

export const FinishReasonField = Type.Unsafe<FinishReason | null>({
  type: ['string', 'null'],
  enum: [...FINISH_REASONS, null],
  description:
    '`stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.',
});

const Count = nullable(Type.Integer());

export const Message = Type.Object(
  {
    role: oneOf(ROLES),
    content: Type.String(),
    thinking: nullable(Type.String()),
    message_id: Type.String({ examples: ['194e786d07'] }),
    timestamp: Timestamp,
    model: nullable(Type.String()),
    eval_count: Count,
    prompt_eval_count: Count,
    finish_reason: FinishReasonField,
    tool_calls: nullable(Type.Array(ref(AnswerToolCall))),
    source_file: nullable(Type.String()),
    tool_name: nullable(Type.String()),
    parent_id: nullable(Type.String()),
    turn_id: nullable(Type.String()),
    status: oneOf(MESSAGE_STATUSES, {
      description: '`partial`: cut by an error, a cancel or a restart. `streaming`: being written now.',
    }),
    sibling_count: Type.Integer({
      description: 'Messages with the same parent, this one included: more than 1 means other branches.',
    }),
    sibling_index: Type.Integer({
      description: 'Which of these it is, from 0, in the order of their creation.',
    }),
    images: Type.Optional(Type.Array(Type.String(), { description: 'Base64; only where there are any.' })),
    image_count: Type.Optional(
      Type.Integer({ description: 'In the place of `images`, where these were to be left out.' }),
    ),
  },
  {
    $id: 'Message',
    examples: [
      {
        role: 'user',
        content: 'What is the capital of France?',
        thinking: null,
        message_id: '9191228aff',
        timestamp: '2026-02-15T09:49:38.310281Z',
        model: null,
        eval_count: null,
        prompt_eval_count: null,
        finish_reason: null,
        tool_calls: null,
        source_file: null,
        tool_name: null,
        parent_id: null,
        turn_id: 'turn_0f3c5a9d21be',
        status: 'complete',
        sibling_count: 1,
        sibling_index: 0,
      },
    ],
  },
);
export type Message = Static<typeof Message>;

/** A message with the same parent as another one: enough to choose by. */
export const Sibling = Type.Object(
  {
    message_id: Type.String({ examples: ['194e786d07'] }),
    role: oneOf(ROLES),
    preview: Type.String({ description: 'How it begins: at most 200 characters.' }),
    timestamp: Timestamp,
    model: nullable(Type.String()),
    status: oneOf(MESSAGE_STATUSES),
  },
  {
    $id: 'Sibling',
    examples: [
      {
        message_id: '194e786d07',
        role: 'assistant',
        preview: 'The capital of France is Paris.',
        timestamp: '2026-02-15T09:49:38.310281Z',
        model: 'llama3.2:latest',
        status: 'complete',
      },
    ],
  },
);
export type Sibling = Static<typeof Sibling>;

/** A message of the whole tree: also says whether it lies on the active path. */
export const TreeMessage = Type.Object(
  { ...Message.properties, active: Type.Boolean() },
  { $id: 'TreeMessage' },
);
export type TreeMessage = Static<typeof TreeMessage>;
