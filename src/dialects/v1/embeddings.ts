// `POST /v1/embeddings`.
import { type Static, Type } from 'typebox';
import { invalidField } from '../../contract/errors.ts';
import { ModelName, maybe } from '../body-fields.ts';
import { route } from '../dialect.ts';
import { meantModel } from '../models.ts';

const EmbeddingsBody = Type.Object(
  {
    model: ModelName,
    input: Type.Unknown({ description: 'A text, or a list of texts.' }),
    dimensions: maybe(Type.Integer({ minimum: 1 })),
    encoding_format: maybe(Type.String({ description: 'float (default), or base64.' })),
  },
  { examples: [{ model: 'nomic-embed-text', input: 'Why is the sky blue?' }] },
);
type EmbeddingsBody = Static<typeof EmbeddingsBody>;

/** Texts of one request. */
const MAX_TEXTS = 2048;

export const embeddingsRoute = route({
  method: 'POST',
  path: '/v1/embeddings',
  operationId: 'openaiEmbed',
  summary: 'Vectors of texts, as from OpenAI',
  body: EmbeddingsBody,
  answer: Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(
      Type.Object({
        object: Type.Literal('embedding'),
        index: Type.Integer(),
        embedding: Type.Unsafe<number[] | string>({
          description: 'Numbers; with `base64` the bytes of their 32-bit floats, little-endian.',
        }),
      }),
    ),
    model: Type.String(),
    usage: Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() }),
  }),
  async handle(deps, { body, signal }) {
    const input = readInput(body.input);
    const encode = encoderOf(body);
    const { dimensions } = body;
    const request = {
      model: meantModel(deps, body.model),
      input,
      ...(dimensions != null && { dimensions }),
    };
    const { vectors, promptTokens } = await deps.turns.engineWork.embed(request, signal);
    const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) }));
    const usage = { prompt_tokens: promptTokens ?? 0, total_tokens: promptTokens ?? 0 };
    return { as: 'json', body: { object: 'list', data, model: body.model, usage } };
  },
});

/** @throws MochiError validation_error */
function readInput(input: unknown): string[] {
  const texts: unknown[] = Array.isArray(input) ? input : [input];
  if (texts.length === 0) throw invalidField('/input', 'must not be empty');
  if (texts.length > MAX_TEXTS) throw invalidField('/input', `must not have more than ${MAX_TEXTS} texts`);
  return texts.map((text, index) => {
    if (typeof text === 'string') return text;
    const path = Array.isArray(input) ? `/input/${index}` : '/input';
    throw invalidField(path, 'must be a text: tokens are those of one model, and are not taken');
  });
}

function encoderOf({ encoding_format: format }: EmbeddingsBody): (vector: readonly number[]) => unknown {
  switch (format) {
    case 'base64':
      return toBase64;
    case 'float':
    case null:
    case undefined:
      return (vector) => vector;
    default:
      throw invalidField('/encoding_format', 'must be float or base64');
  }
}

/** 32-bit floats, little-endian whatever the machine. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, part] of vector.entries()) bytes.writeFloatLE(part, index * 4);
  return bytes.toString('base64');
}
