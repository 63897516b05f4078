// OpenAI's Responses and Conversations: every stored turn is a response, every session a conversation.
import { type TSchema, Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { AnyObject, MaybeObject, maybeList } from '../body-fields.ts';
import { type Dialect, type DialectRoute, route } from '../dialect.ts';
import { closeHistory } from '../history.ts';
import { meantModel } from '../models.ts';
import { tellOpenAiError } from '../openai-chat/error-body.ts';
import {
  addItems,
  createConversation,
  deleteConversation,
  deleteItem,
  getConversation,
  getItem,
  getItems,
  updateConversation,
} from './conversations.ts';
import { createResponse } from './create-response.ts';
import { readRequest } from './read-request.ts';
import { ResponseBody } from './request-body.ts';
import { cancelResponse, deleteResponse, getResponse, listInputItems } from './stored-responses.ts';

function answered(object: string, fields: Record<string, TSchema> = {}): TSchema {
  return Type.Object({ object: Type.Literal(object), ...fields }, { additionalProperties: true });
}

const id = Type.String();
const Response = answered('response', { id, status: Type.String(), output: Type.Array(AnyObject) });
const Conversation = answered('conversation', { id, created_at: Type.Integer(), metadata: AnyObject });
const List = answered('list', { data: Type.Array(AnyObject), has_more: Type.Boolean() });
const Item = Type.Object({ id, type: Type.String() }, { additionalProperties: true });
const Deleted = Type.Object({ id, object: Type.String(), deleted: Type.Boolean() });
const NewConversation = Type.Object({ items: maybeList(AnyObject), metadata: MaybeObject });

const responseRoutes: readonly DialectRoute[] = [
  route({
    method: 'POST',
    path: '/v1/responses',
    operationId: 'createResponse',
    summary: 'Answer as a response',
    description:
      'Kept by default, in the conversation or after the response that it names, else where its history goes on from. With `store: false` it passes.',
    body: ResponseBody,
    answer: Response,
    isTurn: true,
    handle: createResponse,
  }),
  route({
    method: 'POST',
    path: '/v1/responses/input_tokens',
    operationId: 'countResponseTokens',
    summary: 'How many tokens the input of a response takes',
    description: 'As the plan of its prompt has it, before the model has counted.',
    body: ResponseBody,
    answer: answered('response.input_tokens', { input_tokens: Type.Integer() }),
    async handle(deps, { body }) {
      const { history, settings } = readRequest(body);
      const { system, messages } = history;
      const model = meantModel(deps, body.model);
      const input_tokens = await deps.turns.engineWork.estimate({
        ...settings,
        model,
        system,
        messages: closeHistory(messages),
      });
      return { as: 'json', body: { object: 'response.input_tokens', input_tokens } };
    },
  }),
  {
    method: 'GET',
    path: '/v1/responses/:id',
    operationId: 'getResponse',
    summary: 'A response, or its events',
    description:
      'Any stored turn, whatever began it. `stream=true` replays its events and follows them, `starting_after` only those above that number.',
    answer: Response,
    handle: getResponse,
  },
  {
    method: 'POST',
    path: '/v1/responses/:id/cancel',
    operationId: 'cancelResponse',
    summary: 'Cancel a response',
    description: 'Any that runs; what came until then is kept.',
    answer: Response,
    handle: cancelResponse,
  },
  {
    method: 'DELETE',
    path: '/v1/responses/:id',
    operationId: 'deleteResponse',
    summary: 'Delete a response',
    description: 'Its messages stay where a listed conversation holds them.',
    answer: Deleted,
    handle: deleteResponse,
  },
  {
    method: 'GET',
    path: '/v1/responses/:id/input_items',
    operationId: 'listResponseInput',
    summary: 'What the request of a response has brought',
    description: 'Pages by `limit`, `order` and `after`.',
    answer: List,
    handle: listInputItems,
  },
  // Else it would be a response of that name, which cannot be posted to. Read and deleted, it is one that is not there.
  noCompacting('POST'),
  noCompacting('GET'),
  noCompacting('DELETE'),
];

function noCompacting(method: DialectRoute['method']): DialectRoute {
  return {
    method,
    path: '/v1/responses/compact',
    operationId: `${method.toLowerCase()}CompactResponse`,
    summary: 'Not there',
    answer: Response,
    isHidden: true,
    async handle() {
      throw new MochiError(
        'not_found',
        'Compacting is not offered. truncation: "auto" leaves out the oldest exchanges, and stored conversations are summarised by themselves.',
      );
    },
  };
}

const conversationRoutes: readonly DialectRoute[] = [
  route({
    method: 'POST',
    path: '/v1/conversations',
    operationId: 'createConversation',
    summary: 'Begin a conversation',
    body: NewConversation,
    answer: Conversation,
    handle: createConversation,
  }),
  {
    method: 'GET',
    path: '/v1/conversations/:id',
    operationId: 'getConversation',
    summary: 'A conversation',
    answer: Conversation,
    handle: getConversation,
  },
  route({
    method: 'POST',
    path: '/v1/conversations/:id',
    operationId: 'updateConversation',
    summary: 'Change the metadata of a conversation',
    body: Type.Object({ metadata: MaybeObject }),
    answer: Conversation,
    handle: updateConversation,
  }),
  {
    method: 'DELETE',
    path: '/v1/conversations/:id',
    operationId: 'deleteConversation',
    summary: 'Delete a conversation with all of its messages',
    answer: Deleted,
    handle: deleteConversation,
  },
  {
    method: 'GET',
    path: '/v1/conversations/:id/items',
    operationId: 'listConversationItems',
    summary: 'The items of a conversation',
    description: 'Of its active path. Pages by `limit`, `order` and `after`.',
    answer: List,
    handle: getItems,
  },
  route({
    method: 'POST',
    path: '/v1/conversations/:id/items',
    operationId: 'addConversationItems',
    summary: 'Add items to the end of a conversation',
    description: 'At most 20; nothing answers them.',
    body: Type.Object({ items: Type.Array(AnyObject) }),
    answer: List,
    handle: addItems,
  }),
  {
    method: 'GET',
    path: '/v1/conversations/:id/items/:item',
    operationId: 'getConversationItem',
    summary: 'An item of a conversation',
    answer: Item,
    handle: getItem,
  },
  {
    method: 'DELETE',
    path: '/v1/conversations/:id/items/:item',
    operationId: 'deleteConversationItem',
    summary: 'Take the last item of a conversation away',
    description: 'It stays in the tree, as another branch.',
    answer: Conversation,
    handle: deleteItem,
  },
];

export const openAiResponses: Dialect = {
  names: ['openai-responses'],
  tag: {
    name: 'openai-responses',
    description:
      "OpenAI's Responses and Conversations: give clients the address of this server with `/v1`. Responses are stored turns, and conversations are sessions.",
  },
  namesSessions: true,
  owns: (path) => /^\/v1\/(?:responses|conversations)(?:\/|$)/.test(path),
  tellError: tellOpenAiError,
  routes: [...responseRoutes, ...conversationRoutes],
};
