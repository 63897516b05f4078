// Ollama's calls about models. An Ollama answers them itself; of another engine the same is told from what it knows.
import { type Static, Type } from 'typebox';
import type { ForwardedCall } from '../../contract/engine.ts';
import { invalidField, MochiError } from '../../contract/errors.ts';
import { MaybeFlag, MaybeText } from '../body-fields.ts';
import { type Asked, type DialectAnswer, type DialectDeps, type DialectRoute, route } from '../dialect.ts';
import { meantModel } from '../models.ts';
import { tellOllamaError } from './error-body.ts';
import { loadedBody, showBody, tagsBody, VERSION_OF_OTHERS } from './model-shapes.ts';

const Free = Type.Object({}, { additionalProperties: true });

/** Older clients call the model `name`. */
const NamedModel = Type.Object({ model: MaybeText, name: MaybeText }, { examples: [{ model: 'llama3.2' }] });
type NamedModel = Static<typeof NamedModel>;

const CopyBody = Type.Object(
  { source: Type.String({ minLength: 1 }), destination: Type.String({ minLength: 1 }) },
  { examples: [{ source: 'llama3.2', destination: 'my-model' }] },
);

const PullBody = Type.Object(
  { ...NamedModel.properties, stream: MaybeFlag, insecure: MaybeFlag },
  { examples: [{ model: 'llama3.2' }] },
);

export const modelRoutes: readonly DialectRoute[] = [
  readable('/api/version', 'ollamaVersion', 'The version of Ollama', async () => ({
    version: VERSION_OF_OTHERS,
  })),
  readable('/api/tags', 'ollamaTags', 'Models, as Ollama lists them', tagsBody),
  readable('/api/ps', 'ollamaPs', 'Models in memory, as Ollama lists them', loadedBody),
  route({
    method: 'POST',
    path: '/api/show',
    operationId: 'ollamaShow',
    summary: 'A model, as Ollama describes it',
    body: NamedModel,
    answer: Free,
    async handle(deps, asked) {
      const model = nameOf(deps, asked.body);
      const body = { ...asked.body, model };
      const forwarded = await forward(deps, asked, { method: 'POST', path: '/api/show', body: toJson(body) });
      return forwarded ?? { as: 'json', body: await showBody(deps, model) };
    },
  }),
  route({
    method: 'POST',
    path: '/api/pull',
    operationId: 'ollamaPull',
    summary: 'Fetch a model, as Ollama does',
    body: PullBody,
    answer: Free,
    async handle(deps, { body, signal }) {
      const pull = progressOf(deps, nameOf(deps, body), signal);
      if (body.stream ?? true)
        return { as: 'lines', lines: pull, tellError: (error) => tellOllamaError(error).body };
      let last: object = {};
      for await (const line of pull) last = line;
      return { as: 'json', body: last };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/delete',
    operationId: 'ollamaDelete',
    summary: 'Delete a model, as Ollama does',
    body: NamedModel,
    answer: 'text/plain',
    async handle(deps, { body }) {
      const model = nameOf(deps, body);
      if (await deps.engine.deleteModel(model)) return { as: 'text', body: '' };
      throw new MochiError('model_not_found', `Model ${model} is not installed.`, { model });
    },
  }),
  route({
    method: 'POST',
    path: '/api/copy',
    operationId: 'ollamaCopy',
    summary: 'Give a model of Ollama another name',
    body: CopyBody,
    answer: Free,
    handle: (deps, asked) => handOn(deps, asked, '/api/copy'),
  }),
  route({
    method: 'POST',
    path: '/api/create',
    operationId: 'ollamaCreate',
    summary: 'Make a model of Ollama from another one',
    body: NamedModel,
    answer: Free,
    async handle(deps, asked) {
      requireName(asked.body);
      return handOn(deps, asked, '/api/create');
    },
  }),
  {
    method: 'HEAD',
    path: '/api/blobs/:digest',
    operationId: 'ollamaHasBlob',
    summary: 'Whether a part of a model of Ollama is there',
    answer: 'text/plain',
    handle: async (deps, asked) =>
      requireForward(deps, asked, { method: 'HEAD', path: blobPath(asked), body: null }),
  },
  {
    method: 'POST',
    path: '/api/blobs/:digest',
    operationId: 'ollamaSendBlob',
    summary: 'Send a part of a model of Ollama',
    body: 'bytes',
    answer: 'text/plain',
    alsoAnswers: { 201: 'It was taken.' },
    handle: async (deps, asked) =>
      requireForward(deps, asked, {
        method: 'POST',
        path: blobPath(asked),
        // The body of such a route is a stream.
        body: { bytes: asked.body as AsyncIterable<Uint8Array>, type: 'application/octet-stream' },
      }),
  },
];

/** @param tell what is said of an engine that has no such call */
function readable(
  path: string,
  operationId: string,
  summary: string,
  tell: (deps: DialectDeps) => Promise<object>,
): DialectRoute {
  return {
    method: 'GET',
    path,
    operationId,
    summary,
    answer: Free,
    handle: async (deps, asked) =>
      (await forward(deps, asked, { method: 'GET', path, body: null })) ?? {
        as: 'json',
        body: await tell(deps),
      },
  };
}

/** As it was sent. */
function handOn(deps: DialectDeps, asked: Asked, path: string): Promise<DialectAnswer> {
  return requireForward(deps, asked, { method: 'POST', path, body: toJson(asked.body) });
}

/** @returns null where the engine has no API of its own */
async function forward(
  { engine }: DialectDeps,
  { signal }: Asked,
  call: ForwardedCall,
): Promise<DialectAnswer | null> {
  if (engine.forward === undefined) return null;
  const { status, contentType, body } = await engine.forward(call, signal);
  return { as: 'bytes', status, contentType, body };
}

async function requireForward(deps: DialectDeps, asked: Asked, call: ForwardedCall): Promise<DialectAnswer> {
  const answer = await forward(deps, asked, call);
  if (answer !== null) return answer;
  throw new MochiError('not_supported', `The engine of this server has no ${call.path}: only an Ollama has.`);
}

function toJson(body: unknown): NonNullable<ForwardedCall['body']> {
  return { bytes: JSON.stringify(body), type: 'application/json' };
}

function blobPath({ params }: Asked): string {
  const { digest = '' } = params;
  if (!/^sha256[:-][0-9a-f]{64}$/i.test(digest)) {
    throw invalidField('/digest', 'must be sha256: and 64 hex digits');
  }
  return `/api/blobs/${digest}`;
}

function nameOf(deps: DialectDeps, body: NamedModel): string {
  return meantModel(deps, requireName(body));
}

/** @throws MochiError validation_error */
function requireName({ model, name }: NamedModel): string {
  const given = model || name;
  if (!given) throw invalidField('/model', 'is required');
  return given;
}

/** How far it is, in Ollama's words; who leaves stops it, unless others wait for the same. */
async function* progressOf(
  { pulls }: DialectDeps,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<object, void> {
  const pull = pulls.join(name, 'cancel');
  try {
    let last = '';
    for await (const { status, digest, completed, total } of pull.watch(signal)) {
      last = status;
      yield {
        status,
        ...(digest !== undefined && { digest }),
        ...(total !== null && { total }),
        ...(completed !== null && { completed }),
      };
    }
    if (last !== 'success') yield { status: 'success' };
  } finally {
    pull.release();
  }
}
