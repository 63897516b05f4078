// The bodies of `POST /v1/messages` and `POST /v1/messages/count_tokens`, as far as they are read.
import { type Static, Type } from 'typebox';
import {
  AnyObject,
  MaybeFlag,
  MaybeNumber,
  MaybeObject,
  MaybeText,
  ModelName,
  maybe,
  maybeList,
} from '../body-fields.ts';

export const MessagesBody = Type.Object(
  {
    model: ModelName,
    messages: Type.Array(
      Type.Object({
        role: Type.String({ examples: ['user'] }),
        content: Type.Optional(Type.Unknown({ description: 'A text, or blocks.' })),
      }),
      { minItems: 1 },
    ),
    system: Type.Optional(Type.Unknown({ description: 'A text, or blocks of text.' })),
    max_tokens: MaybeNumber,
    stream: MaybeFlag,
    temperature: MaybeNumber,
    top_p: MaybeNumber,
    top_k: MaybeNumber,
    stop_sequences: maybeList(Type.String()),
    thinking: maybe(Type.Object({ type: MaybeText })),
    output_config: maybe(Type.Object({ effort: MaybeText, format: MaybeObject })),
    output_format: MaybeObject,
    tools: maybeList(AnyObject),
    tool_choice: maybe(
      Type.Object({ type: MaybeText, name: MaybeText, disable_parallel_tool_use: MaybeFlag }),
    ),
  },
  {
    examples: [
      {
        model: 'llama3.2',
        max_tokens: 1024,
        messages: [{ role: 'user', content: 'What is the capital of France?' }],
      },
    ],
  },
);
export type MessagesBody = Static<typeof MessagesBody>;
