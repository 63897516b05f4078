// The body of `POST /v1/chat/completions`, as far as it is read.
import { type Static, Type } from 'typebox';
import {
  AnyObject,
  MaybeFlag,
  MaybeNumber,
  MaybeObject,
  MaybeStop,
  MaybeText,
  ModelName,
  maybe,
  maybeList,
} from '../body-fields.ts';

export const ChatCompletionBody = Type.Object(
  {
    model: ModelName,
    messages: Type.Array(
      Type.Object({
        role: Type.String({ examples: ['user'] }),
        content: Type.Optional(Type.Unknown({ description: 'A text, or parts: text, image_url, refusal.' })),
      }),
      { minItems: 1 },
    ),
    stream: MaybeFlag,
    stream_options: maybe(Type.Object({ include_usage: MaybeFlag })),
    max_completion_tokens: MaybeNumber,
    max_tokens: MaybeNumber,
    temperature: MaybeNumber,
    top_p: MaybeNumber,
    seed: MaybeNumber,
    stop: MaybeStop,
    presence_penalty: MaybeNumber,
    frequency_penalty: MaybeNumber,
    top_k: MaybeNumber,
    min_p: MaybeNumber,
    repetition_penalty: MaybeNumber,
    options: MaybeObject,
    reasoning_effort: MaybeText,
    reasoning: maybe(Type.Object({ effort: MaybeText })),
    response_format: MaybeObject,
    tools: maybeList(AnyObject),
    tool_choice: Type.Optional(Type.Unknown()),
    parallel_tool_calls: MaybeFlag,
    n: MaybeNumber,
    logprobs: MaybeFlag,
    top_logprobs: MaybeNumber,
    logit_bias: MaybeObject,
    functions: maybeList(Type.Unknown()),
    function_call: Type.Optional(Type.Unknown()),
    modalities: maybeList(Type.Unknown()),
    prediction: MaybeObject,
  },
  {
    examples: [
      { model: 'llama3.2', messages: [{ role: 'user', content: 'What is the capital of France?' }] },
    ],
  },
);
export type ChatCompletionBody = Static<typeof ChatCompletionBody>;
