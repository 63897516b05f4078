// The body of `POST /ai/chat`, as `useChat` sends it, with what an app adds in `body`.
import { type Static, Type } from 'typebox';
import { BUSY_POLICIES, DISCONNECT_POLICIES, EngineOptions } from '../../contract/chat.ts';
import { oneOf } from '../../contract/schema.ts';
import { AnyObject, MaybeText, maybeList } from '../body-fields.ts';

export const UiChatBody = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[A-Za-z0-9._:-]+$',
      description: 'Of a session, or a name of the app’s own: its session is made at first use.',
    }),
    messages: maybeList(AnyObject),
    message: Type.Optional(Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'] })),
    trigger: MaybeText,
    messageId: MaybeText,
    model: MaybeText,
    system: MaybeText,
    think: Type.Optional(Type.Unknown({ description: 'true, false, low, medium or high.' })),
    options: Type.Optional(Type.Unsafe<EngineOptions | null>({ type: ['object', 'null'] })),
    format: Type.Optional(Type.Unknown({ description: '`json`, or a JSON Schema.' })),
    tools: maybeList(AnyObject),
    on_busy: Type.Optional(oneOf(BUSY_POLICIES, { default: 'interrupt' })),
    on_disconnect: Type.Optional(oneOf(DISCONNECT_POLICIES, { default: 'continue' })),
  },
  {
    examples: [
      {
        id: 'b5a3d7e4c9',
        messages: [
          { id: 'u1', role: 'user', parts: [{ type: 'text', text: 'What is the capital of France?' }] },
        ],
        trigger: 'submit-message',
      },
    ],
  },
);
export type UiChatBody = Static<typeof UiChatBody>;
