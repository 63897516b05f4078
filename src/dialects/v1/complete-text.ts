// `POST /v1/completions`: a prompt is answered, or with a suffix what comes between. Never stored.
import { type Static, Type } from 'typebox';
import { invalidField } from '../../contract/errors.ts';
import {
  MaybeFlag,
  MaybeNumber,
  MaybeObject,
  MaybeStop,
  MaybeText,
  ModelName,
  maybe,
} from '../body-fields.ts';
import { route } from '../dialect.ts';
import { meantModel } from '../models.ts';
import { readOptions, refuseParameter, USUAL_SETTINGS } from '../settings.ts';
import { createTextReader, createTextWriter, toTextHead } from './text-chunk.ts';

const CompletionBody = Type.Object(
  {
    model: ModelName,
    prompt: Type.Unknown({ description: 'A text.' }),
    suffix: MaybeText,
    stream: MaybeFlag,
    stream_options: maybe(Type.Object({ include_usage: MaybeFlag })),
    max_tokens: MaybeNumber,
    temperature: MaybeNumber,
    top_p: MaybeNumber,
    seed: MaybeNumber,
    stop: MaybeStop,
    presence_penalty: MaybeNumber,
    frequency_penalty: MaybeNumber,
    options: MaybeObject,
    n: MaybeNumber,
    best_of: MaybeNumber,
    echo: MaybeFlag,
    logprobs: Type.Optional(Type.Unknown()),
    logit_bias: MaybeObject,
  },
  { examples: [{ model: 'llama3.2', prompt: 'The capital of France is' }] },
);
type CompletionBody = Static<typeof CompletionBody>;

export const completionRoute = route({
  method: 'POST',
  path: '/v1/completions',
  operationId: 'openaiComplete',
  summary: 'A text that goes on, as from OpenAI',
  description:
    'Server-sent events with `stream: true`. With `suffix`: what comes between, by models that can.',
  body: CompletionBody,
  answer: Type.Object(
    { id: Type.String(), object: Type.Literal('text_completion'), model: Type.String() },
    { additionalProperties: true },
  ),
  isTurn: true,
  async handle(deps, { body }) {
    refuseUnsupported(body);
    const prompt = readPrompt(body.prompt);
    const { suffix } = body;
    const content = `${prompt}${suffix ?? ''}`;
    const turn = await deps.turns.pass({
      ...USUAL_SETTINGS,
      ...readSettings(body),
      think: false,
      model: meantModel(deps, body.model),
      system: null,
      messages: [{ role: 'user', content }],
      ...(suffix && { completion: { prompt, suffix } }),
    });
    const head = toTextHead(turn.turnId, deps.now(), body.model);
    const wantsUsage = body.stream_options?.include_usage ?? false;
    const told = body.stream
      ? ({ how: 'sse', writer: createTextWriter(head, wantsUsage) } as const)
      : ({ how: 'whole', reader: createTextReader(head) } as const);
    return { as: 'turn', turn, isStored: false, told };
  },
});

function readSettings(body: CompletionBody): ReturnType<typeof readOptions> {
  const { temperature, top_p, seed, stop, presence_penalty, frequency_penalty, max_tokens } = body;
  const named = { temperature, top_p, seed, stop, presence_penalty, frequency_penalty };
  return readOptions(body.options, { ...named, num_predict: max_tokens });
}

/** @throws MochiError unsupported_parameter */
function refuseUnsupported(body: CompletionBody): void {
  if ((body.n ?? 1) > 1) refuseParameter('n', 'one answer at a time is made');
  if ((body.best_of ?? 1) > 1) refuseParameter('best_of', 'one answer at a time is made');
  if (body.echo === true) refuseParameter('echo', 'the prompt is not told again');
  if (typeof body.logprobs === 'number') refuseParameter('logprobs', 'engines do not tell probabilities');
  if (Object.keys(body.logit_bias ?? {}).length > 0) refuseParameter('logit_bias', 'engines cannot do it');
}

/** @throws MochiError validation_error */
function readPrompt(prompt: unknown): string {
  const [text, ...others]: unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  if (typeof text === 'string' && others.length === 0) return text;
  throw invalidField('/prompt', 'must be one text');
}
