// The bodies of `POST /api/chat` and `POST /api/generate`, as far as they are read.
import { type Static, Type } from 'typebox';
import { AnyObject, MaybeFlag, MaybeObject, MaybeText, ModelName, maybeList } from '../body-fields.ts';

/** Seconds, or what Go reads as a duration (time.ParseDuration), whose longest are some 292 years. */
const DURATION = String.raw`^([-+]?(0|((\d{1,6}(\.\d{0,9})?|\.\d{1,9})(ns|us|µs|ms|s|m|h))+))?$`;

export const KeepAlive = Type.Optional(
  Type.Unsafe<string | number | null>({
    anyOf: [{ type: 'string', pattern: DURATION, maxLength: 100 }, { type: 'number' }, { type: 'null' }],
    examples: ['5m'],
  }),
);

const common = {
  model: ModelName,
  stream: MaybeFlag,
  format: Type.Optional(Type.Unknown({ description: '"json", or a JSON Schema.' })),
  options: MaybeObject,
  think: Type.Optional(Type.Unknown({ description: 'true, false, or low, medium, high.' })),
  keep_alive: KeepAlive,
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
