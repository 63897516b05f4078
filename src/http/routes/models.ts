// What the engine can run.
import { type Static, Type } from 'typebox';
import type { Engine, EngineLoadedModel, EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { Model } from '../../contract/model.ts';
import { PullModel } from '../../contract/model-pull.ts';
import { nullable, ref } from '../../contract/schema.ts';
import { cutText } from '../../kit/whole-characters.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, NO_CONTENT, responses } from '../document.ts';
import { PROGRESS_STREAM_ANSWER, sendProgress } from '../progress-stream.ts';

const ENGINE_ERRORS = ['ollama_unreachable', 'ollama_error', 'engine_busy', 'engine_not_ready'] as const;

const LoadedModel = Type.Object({
  name: Type.String({ examples: ['qwen3-0.6b'] }),
  window: nullable(Type.Integer({ description: 'Tokens; null while it is being loaded.', examples: [8192] })),
  expires_in_seconds: nullable(
    Type.Integer({
      description: 'How long it stays when nobody uses it; null when the engine does not say.',
    }),
  ),
});

const NameParams = Type.Object({
  '*': Type.String({ description: 'Name of the model; `/` and `:` may stand as they are.' }),
});

export function modelRoutes(app: App, { engine, pulls }: AppDeps): void {
  app.get(
    '/api/v1/models',
    {
      schema: {
        tags: ['models'],
        operationId: 'listModels',
        summary: 'Models that can chat',
        response: responses(
          200,
          jsonAnswer("In the engine's order.", Type.Object({ models: Type.Array(ref(Model)) })),
          ENGINE_ERRORS,
        ),
      },
    },
    async () => ({ models: (await engine.listModels()).map(toModel) }),
  );
  app.get(
    '/api/v1/models/loaded',
    {
      schema: {
        tags: ['models'],
        operationId: 'listLoadedModels',
        summary: 'Models in memory',
        response: responses(
          200,
          jsonAnswer('With the context window of each.', Type.Object({ models: Type.Array(LoadedModel) })),
          ENGINE_ERRORS,
        ),
      },
    },
    async () => ({ models: (await engine.listLoaded()).map(toLoaded) }),
  );
  // A wildcard: names hold slashes (hf.co/org/repo:Q4), encoded or not.
  app.get(
    '/api/v1/models/*',
    {
      schema: {
        tags: ['models'],
        operationId: 'getModel',
        summary: 'One model by name',
        params: NameParams,
        response: responses(200, jsonAnswer('The model.', ref(Model)), ['model_not_found', ...ENGINE_ERRORS]),
      },
    },
    async ({ params }) => {
      const name = nameOf(params);
      const model = name === '' ? null : await engine.findModel(name);
      if (model !== null) return toModel(model);
      throw await notInstalled(engine, name);
    },
  );
  app.post(
    '/api/v1/models/pull',
    {
      schema: {
        tags: ['models'],
        operationId: 'pullModel',
        summary: 'Fetch a model',
        description:
          'A name that is being fetched already is joined: this connection is told how far it is. With `on_disconnect: continue` it goes on when nobody watches; asking for it again with `cancel`, and leaving, stops it.',
        body: ref(PullModel),
        response: responses(200, PROGRESS_STREAM_ANSWER, [
          ...BODY_ERRORS,
          ...ENGINE_ERRORS,
          'model_not_found',
          'model_pull_failed',
        ]),
      },
    },
    async ({ body }, reply) => {
      // The schema asks for one of them.
      const name = body.model ?? body.name ?? '';
      const pull = pulls.join(name, body.on_disconnect ?? 'cancel');
      reply.raw.once('close', pull.release);
      // It may have left while its body was being read.
      if (reply.raw.destroyed) pull.release();
      await sendProgress(reply, { run: pull.watch, done: { name } });
      return reply;
    },
  );
  app.delete(
    '/api/v1/models/*',
    {
      schema: {
        tags: ['models'],
        operationId: 'deleteModel',
        summary: 'Delete a model from the disk',
        params: NameParams,
        response: responses(204, NO_CONTENT, ['model_not_found', ...BODY_ERRORS, ...ENGINE_ERRORS]),
      },
    },
    async ({ params }, reply) => {
      const name = nameOf(params);
      if (name === '' || !(await engine.deleteModel(name))) throw await notInstalled(engine, name);
      return reply.code(204).send();
    },
  );
}

function toLoaded({ model, window, expiresInMs }: EngineLoadedModel): Static<typeof LoadedModel> {
  const seconds = expiresInMs === null ? null : Math.max(0, Math.round(expiresInMs / 1000));
  return { name: model, window, expires_in_seconds: seconds };
}

function nameOf(params: { readonly '*': string }): string {
  return params['*'].replace(/\/+$/, '');
}

async function notInstalled(engine: Engine, name: string): Promise<MochiError> {
  const model = cutText(name, 200);
  const text = `Model ${model} is not installed. ${await engine.inventory()}`;
  return new MochiError('model_not_found', text, { model });
}

function toModel(described: EngineModel): Model {
  const {
    untold: _untold,
    trainedLength: _trainedLength,
    wishedWindow: _wishedWindow,
    ownPrompt: _ownPrompt,
    digest: _digest,
    weights: _weights,
    parallel: _parallel,
    modifiedAt: _modifiedAt,
    sizeBytes: _sizeBytes,
    ...model
  } = described;
  return model;
}
