// `POST /api/embed`, and `POST /api/embeddings`, which it has replaced.
import { type Static, Type } from 'typebox';
import type { EngineEmbedRequest } from '../../contract/engine.ts';
import { invalidField } from '../../contract/errors.ts';
import { MaybeFlag, MaybeObject, MaybeText, ModelName, maybe } from '../body-fields.ts';
import { type Asked, type DialectDeps, route } from '../dialect.ts';
import { meantModel } from '../models.ts';
import { readOptions } from '../settings.ts';
import { toNanoseconds } from './answer-lines.ts';
import { KeepAlive } from './chat-body.ts';

const common = {
  model: ModelName,
  truncate: MaybeFlag,
  options: MaybeObject,
  keep_alive: KeepAlive,
};

const EmbedBody = Type.Object(
  {
    ...common,
    input: Type.Optional(
      Type.Unsafe<string | string[] | null>({
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }, { type: 'null' }],
      }),
    ),
    dimensions: maybe(Type.Integer({ minimum: 1 })),
  },
  { examples: [{ model: 'nomic-embed-text', input: 'Why is the sky blue?' }] },
);
type EmbedBody = Static<typeof EmbedBody>;

const EmbeddingsBody = Type.Object({ ...common, prompt: MaybeText });

/** Texts of one request. */
const MAX_TEXTS = 2048;

const Vector = Type.Array(Type.Number());

export const embedRoutes = [
  route({
    method: 'POST',
    path: '/api/embed',
    operationId: 'ollamaEmbed',
    summary: 'Vectors of texts, as from Ollama',
    body: EmbedBody,
    answer: Type.Object(
      { model: Type.String(), embeddings: Type.Array(Vector) },
      { additionalProperties: true },
    ),
    async handle(deps, asked) {
      const texts = [asked.body.input ?? []].flat();
      const { vectors, promptTokens, totalMs, loadMs } = await embed(deps, asked, texts);
      const body = {
        model: asked.body.model,
        embeddings: vectors,
        total_duration: toNanoseconds(totalMs),
        load_duration: toNanoseconds(loadMs),
        prompt_eval_count: promptTokens ?? 0,
      };
      return { as: 'json', body };
    },
  }),
  route({
    method: 'POST',
    path: '/api/embeddings',
    operationId: 'ollamaEmbeddings',
    summary: 'The vector of a text, as from older versions of Ollama',
    body: EmbeddingsBody,
    answer: Type.Object({ embedding: Vector }),
    async handle(deps, asked) {
      const { prompt } = asked.body;
      const { vectors } = await embed(deps, asked, prompt ? [prompt] : []);
      return { as: 'json', body: { embedding: vectors[0] ?? [] } };
    },
  }),
];

function embed(
  deps: DialectDeps,
  { body, signal }: Asked<Omit<EmbedBody, 'input'>>,
  input: readonly string[],
): ReturnType<DialectDeps['turns']['engineWork']['embed']> {
  if (input.length > MAX_TEXTS) throw invalidField('/input', `must not have more than ${MAX_TEXTS} texts`);
  const { truncate, dimensions, options, keep_alive: keepAlive } = body;
  const request: EngineEmbedRequest = {
    model: meantModel(deps, body.model),
    input,
    ...(truncate != null && { truncate }),
    ...(dimensions != null && { dimensions }),
    ...(options != null && { options: toOptions(options) }),
    ...(keepAlive != null && keepAlive !== '' && { keepAlive }),
  };
  return deps.turns.engineWork.embed(request, signal);
}

/** Nothing is said in a window of ours here: the client's is taken. */
function toOptions(given: Readonly<Record<string, unknown>>): NonNullable<EngineEmbedRequest['options']> {
  const { options, windowAtLeast } = readOptions(given);
  return { ...options, ...(windowAtLeast !== null && { num_ctx: windowAtLeast }) };
}
