// `POST /v1/messages/count_tokens`: how long a prompt would be.
import { Type } from 'typebox';
import { route } from '../dialect.ts';
import { closeHistory } from '../history.ts';
import { meantModel } from '../models.ts';
import { MessagesBody } from './messages-body.ts';
import { readRequest } from './read-request.ts';

export const countRoute = route({
  method: 'POST',
  path: '/v1/messages/count_tokens',
  operationId: 'anthropicCountTokens',
  summary: 'How many tokens a conversation takes, as Anthropic does',
  description: 'The estimate by which turns are planned. Nothing is sent to the model.',
  body: MessagesBody,
  answer: Type.Object({ input_tokens: Type.Integer({ examples: [29] }) }),
  async handle(deps, { body, requestId }) {
    const { model, history, settings } = readRequest(body);
    const { system, messages } = history;
    const input_tokens = await deps.turns.engineWork.estimate({
      ...settings,
      model: meantModel(deps, model),
      system,
      messages: closeHistory(messages),
    });
    return { as: 'json', body: { input_tokens }, headers: { 'request-id': requestId } };
  },
});
