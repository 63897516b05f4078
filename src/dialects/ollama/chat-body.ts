// The bodies of `POST /api/chat` and `POST /api/generate`, as far as they are read.
import { type Static, Type } from 'typebox';
import { AnyObject, MaybeFlag, MaybeObject, MaybeText, ModelName, maybeList } from '../body-fields.ts';

const common = {
  model: ModelName,
  stream: MaybeFlag,
  format: Type.Optional(Type.Unknown({ description: '"json", or a JSON Schema.' })),
  options: MaybeObject,
  think: Type.Optional(Type.Unknown({ description: 'true, false, or low, medium, high.' })),
  keep_alive: Type.Optional(
    Type.Unsafe<string | number | null>({ type: ['string', 'number', 'null'], examples: ['5m'] }),
  ),
  truncate: MaybeFlag,
};

export const OllamaChatBody = Type.Object(
  {
    ...common,
    messages: maybeList(
      Type.Object({ role: Type.String({ examples: ['user'] }) }, { additionalProperties: true }),
    ),
    tools: maybeList(AnyObject),
  },
  {
    examples: [
      { model: 'llama3.2', messages: [{ role: 'user', content: 'What is the capital of France?' }] },
    ],
  },
);
export type OllamaChatBody = Static<typeof OllamaChatBody>;

export const GenerateBody = Type.Object(
  {
    ...common,
    prompt: MaybeText,
    system: MaybeText,
    images: maybeList(Type.String()),
    suffix: MaybeText,
    raw: MaybeFlag,
    template: MaybeText,
    context: maybeList(Type.Integer()),
  },
  { examples: [{ model: 'llama3.2', prompt: 'Why is the sky blue?' }] },
);
export type GenerateBody = Static<typeof GenerateBody>;
