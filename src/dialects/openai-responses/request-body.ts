// The body of `POST /v1/responses`, as far as it is read.
import { type Static, Type } from 'typebox';
import { AnyObject, MaybeFlag, MaybeNumber, MaybeObject, MaybeText, maybeList } from '../body-fields.ts';

const Input = Type.Unsafe<string | Record<string, unknown>[] | null>({
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'object' } }, { type: 'null' }],
  description: 'A text, or items: message, function_call, function_call_output, reasoning, item_reference …',
});

export const ResponseBody = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 512 }),
    input: Type.Optional(Input),
    instructions: MaybeText,
    conversation: Type.Optional(
      Type.Unsafe<string | { id: string } | null>({
        anyOf: [
          { type: 'string' },
          { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
          { type: 'null' },
        ],
      }),
    ),
    previous_response_id: MaybeText,
    store: MaybeFlag,
    background: MaybeFlag,
    stream: MaybeFlag,
    include: maybeList(Type.Unknown()),
    max_output_tokens: MaybeNumber,
    max_tool_calls: MaybeNumber,
    temperature: MaybeNumber,
    top_p: MaybeNumber,
    reasoning: MaybeObject,
    text: MaybeObject,
    tools: maybeList(AnyObject),
    tool_choice: Type.Optional(Type.Unknown()),
    parallel_tool_calls: MaybeFlag,
    truncation: MaybeText,
    metadata: MaybeObject,
    prompt: Type.Optional(Type.Unknown()),
    prompt_cache_key: MaybeText,
    safety_identifier: MaybeText,
    top_logprobs: MaybeNumber,
    user: MaybeText,
  },
  { examples: [{ model: 'llama3.2', input: 'What is the capital of France?' }] },
);
export type ResponseBody = Static<typeof ResponseBody>;
