// What the engine can run.
import { Type } from 'typebox';
import type { EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { Model } from '../../contract/model.ts';
import { ref } from '../../contract/schema.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { jsonAnswer, responses } from '../document.ts';

const ENGINE_ERRORS = ['ollama_unreachable', 'ollama_error', 'engine_busy'] as const;

export function modelRoutes(app: App, { engine }: AppDeps): void {
  app.get(
    '/api/v1/models',
    {
      schema: {
        tags: ['models'],
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
  // A wildcard: names hold slashes (hf.co/org/repo:Q4), encoded or not.
  app.get(
    '/api/v1/models/*',
    {
      schema: {
        tags: ['models'],
        summary: 'One model by name',
        params: Type.Object({
          '*': Type.String({ description: 'Name of the model; `/` and `:` may stand as they are.' }),
        }),
        response: responses(200, jsonAnswer('The model.', ref(Model)), ['model_not_found', ...ENGINE_ERRORS]),
      },
    },
    async ({ params }) => {
      const name = params['*'].replace(/\/+$/, '');
      const model = name === '' ? null : await engine.findModel(name);
      if (model !== null) return toModel(model);
      throw new MochiError(
        'model_not_found',
        `Model ${name.slice(0, 200)} is not installed. GET /api/v1/models lists those that are.`,
        {
          model: name.slice(0, 200),
        },
      );
    },
  );
}

function toModel({ trainedLength: _trainedLength, ...model }: EngineModel): Model {
  return model;
}
