// Messages of a session: read the active path, edit a user message, set and remove the system prompt.
import { Type } from 'typebox';
import { invalidField } from '../../contract/errors.ts';
import { Message } from '../../contract/message.ts';
import { nullable, oneOf, ref } from '../../contract/schema.ts';
import {
  EditedMessage,
  EditMessageInput,
  SystemPromptAnswer,
  SystemPromptInput,
} from '../../contract/session.ts';
import { editMessage } from '../../sessions/edit-message.ts';
import { removeSystemPrompt, setSystemPrompt } from '../../sessions/system-prompt.ts';
import { toContractMessage } from '../../store/messages.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, NO_CONTENT, responses } from '../document.ts';
import { answerList } from '../long-list.ts';
import { fromCursor, PageQuery, splitPage, toCursor } from '../paging.ts';
import { SessionParams, sessionIdOf } from '../params.ts';
import { pathFrom, readPage } from '../path-list.ts';

const CHANGE_ERRORS = [
  'session_not_found',
  'session_busy',
  ...BODY_ERRORS,
  'session_load_error',
  'session_save_error',
  'database_busy',
  'storage_lost',
] as const;

const PathQuery = Type.Object({
  ...PageQuery.properties,
  from: Type.Optional(
    Type.Integer({
      minimum: -(2 ** 31),
      maximum: 2 ** 31 - 1,
      description:
        'Position of the first message, from 0, the system message included; a negative one counts from the end. Not beside `cursor`.',
    }),
  ),
  around: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        'Id of a message of the path: the page that has it in its middle. Only with `limit`, and not beside `from` or `cursor`.',
    }),
  ),
  images: Type.Optional(
    oneOf(['include', 'omit'], {
      description:
        '`omit`: messages have an `image_count` in the place of `images`; each image has an address of its own.',
    }),
  ),
});

export function messageRoutes(app: App, deps: AppDeps): void {
  const tags = ['sessions'];

  app.get(
    '/api/v1/sessions/:session_id/messages',
    {
      schema: {
        tags,
        operationId: 'listMessages',
        summary: 'Messages of the active path',
        description:
          'All of them when no limit is given. `from` begins anywhere on the path, at the same cost: `from=-100` is the newest hundred; `around` is the way to a message that is known by its id.',
        params: SessionParams,
        querystring: PathQuery,
        response: responses(
          200,
          jsonAnswer(
            'In order, the system message first.',
            Type.Object({
              from: Type.Integer({ description: 'Position of the first message that is listed.' }),
              total: Type.Integer({ description: 'Messages of the whole path.' }),
              messages: Type.Array(ref(Message)),
              next_cursor: nullable(Type.String()),
            }),
          ),
          [
            'session_not_found',
            'message_not_found',
            'invalid_cursor',
            'validation_error',
            'session_load_error',
          ],
        ),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const sessionId = sessionIdOf(params);
      const { limit, cursor, from, around, images } = query;
      if (cursor !== undefined && from !== undefined) {
        throw invalidField('/from', 'must not come with a cursor: each says where to begin');
      }
      if (around !== undefined && (limit === undefined || (cursor ?? from) !== undefined)) {
        throw invalidField('/around', 'needs a limit, and must not come with from or a cursor');
      }
      const list = `messages ${sessionId}`;
      const after = cursor === undefined ? undefined : fromCursor(list, cursor, ['number'])[0];
      const start = { from, after, ...(images === 'omit' && { omitsImages: true as const }) };
      if (limit === undefined) {
        const path = { ...pathFrom(sessionId, start), tail: { next_cursor: null } };
        return answerList(deps, path, request, reply);
      }
      const middle = around && { around: { messageId: around, before: Math.floor(limit / 2) } };
      const { messages, ...where } = await readPage(deps, sessionId, {
        ...start,
        ...middle,
        limit: limit + 1,
      });
      const { items, last } = splitPage(messages, limit);
      return {
        ...where,
        messages: items.map(toContractMessage),
        next_cursor: last && toCursor(list, [last.depth]),
      };
    },
  );

  app.put(
    '/api/v1/sessions/:session_id/messages/:index',
    {
      schema: {
        tags,
        operationId: 'editMessage',
        summary: 'Edit a user message',
        description:
          'Adds a sibling with the new text and shows that branch; what followed the old one stays in the tree. Then chat with `message: null`.',
        params: Type.Object({
          ...SessionParams.properties,
          // Text, so that only digits are taken: a conversion would accept 0x1 and 1e0.
          index: Type.String({
            pattern: '^-?[0-9]+$',
            description: 'Position from 0, the system message included.',
            examples: ['0'],
          }),
        }),
        body: ref(EditMessageInput),
        response: responses(200, jsonAnswer('The new message.', ref(EditedMessage)), [
          'invalid_message_index',
          ...CHANGE_ERRORS,
        ]),
      },
    },
    async ({ params, body }) => {
      const sessionId = sessionIdOf(params);
      return deps.turns.change(sessionId, () =>
        editMessage(deps, sessionId, { index: Number(params.index), content: body.content }),
      );
    },
  );

  app.put(
    '/api/v1/sessions/:session_id/system-prompt',
    {
      schema: {
        tags,
        operationId: 'setSystemPrompt',
        summary: 'Set the system prompt',
        description: 'Message 0, replaced or inserted; the history stays.',
        params: SessionParams,
        body: ref(SystemPromptInput),
        response: responses(200, jsonAnswer('The system prompt.', ref(SystemPromptAnswer)), [
          'prompt_not_found',
          'invalid_filename',
          'invalid_content',
          ...CHANGE_ERRORS,
        ]),
      },
    },
    async ({ params, body }) => {
      const sessionId = sessionIdOf(params);
      return deps.turns.change(sessionId, () => setSystemPrompt(deps, sessionId, body));
    },
  );

  app.delete(
    '/api/v1/sessions/:session_id/system-prompt',
    {
      schema: {
        tags,
        operationId: 'removeSystemPrompt',
        summary: 'Remove the system prompt',
        params: SessionParams,
        response: responses(204, NO_CONTENT, ['no_system_prompt', ...CHANGE_ERRORS]),
      },
    },
    async ({ params }, reply) => {
      const sessionId = sessionIdOf(params);
      await deps.turns.change(sessionId, () => removeSystemPrompt(deps, sessionId));
      return reply.code(204).send();
    },
  );
}
