// `GET /v1/models`: one shape for the clients of both vendors.
import { type Static, Type } from 'typebox';
import type { EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import type { DialectRoute } from '../dialect.ts';
import { meantModel } from '../models.ts';

const ListedModel = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer({ description: 'When it came; 0: not known.' }),
  owned_by: Type.String(),
  context_length: Type.Integer({ description: 'Tokens.' }),
  type: Type.Literal('model'),
  display_name: Type.String(),
  created_at: Type.String(),
});

export const modelRoutes: readonly DialectRoute[] = [
  {
    method: 'GET',
    path: '/v1/models',
    operationId: 'openaiListModels',
    summary: 'Models, as OpenAI and Anthropic list them',
    answer: Type.Object({
      object: Type.Literal('list'),
      data: Type.Array(ListedModel),
      has_more: Type.Boolean(),
      first_id: Type.Union([Type.String(), Type.Null()]),
      last_id: Type.Union([Type.String(), Type.Null()]),
    }),
    async handle({ engine }) {
      const data = (await engine.listModels()).map((model) => toListed(model, model.name));
      const [first_id = null, last_id = null] = [data[0]?.id, data.at(-1)?.id];
      return { as: 'json', body: { object: 'list', data, has_more: false, first_id, last_id } };
    },
  },
  {
    method: 'GET',
    path: '/v1/models/*',
    operationId: 'openaiGetModel',
    summary: 'A model, as OpenAI and Anthropic describe it',
    answer: ListedModel,
    async handle(deps, { params }) {
      const name = (params['*'] ?? '').replace(/\/+$/, '');
      const model = name === '' ? null : await deps.engine.findModel(meantModel(deps, name));
      if (model !== null) return { as: 'json', body: toListed(model, name) };
      const text = `The model '${name}' does not exist. ${await deps.engine.inventory()}`;
      throw new MochiError('model_not_found', text, { model: name });
    },
  },
];

/** @param id as it was asked for */
function toListed(model: EngineModel, id: string): Static<typeof ListedModel> {
  const at = Date.parse(model.modifiedAt ?? '');
  const created = Number.isNaN(at) ? 0 : Math.floor(at / 1000);
  return {
    id,
    object: 'model',
    created,
    owned_by: /^(?:.*\/)?([^/]+)\/[^/]+$/.exec(model.name)?.[1] ?? 'library',
    context_length: model.context_length,
    type: 'model',
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
  };
}
