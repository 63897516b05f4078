// The message tree: see every branch, show another one, fork.
import { Type } from 'typebox';
import { Sibling, TreeMessage } from '../../contract/message.ts';
import { nullable, ref } from '../../contract/schema.ts';
import { ForkInput, HeadInput, Session, SessionHead } from '../../contract/session.ts';
import { forkSession, headOf, setHead } from '../../sessions/branches.ts';
import { requireMessage, requireSession } from '../../sessions/require.ts';
import { listTree } from '../../store/list-tree.ts';
import { listSiblings } from '../../store/siblings.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';
import { answerList, type LongList } from '../long-list.ts';
import { fromCursor, PageQuery, splitPage, toCursor } from '../paging.ts';
import { MessageParams, SessionParams, sessionIdOf } from '../params.ts';
import { toSession } from './sessions.ts';

const COMMON = [
  'session_not_found',
  ...BODY_ERRORS,
  'session_load_error',
  'session_save_error',
  'database_busy',
  'storage_lost',
] as const;

export function branchRoutes(app: App, deps: AppDeps): void {
  const tags = ['branches'];

  app.get(
    '/api/v1/sessions/:session_id/tree',
    {
      schema: {
        tags,
        operationId: 'getTree',
        summary: 'Every message of every branch',
        params: SessionParams,
        querystring: PageQuery,
        response: responses(
          200,
          jsonAnswer(
            'In creation order.',
            Type.Object({
              session_id: Type.String(),
              head: nullable(Type.String()),
              messages: Type.Array(ref(TreeMessage)),
              next_cursor: nullable(Type.String()),
            }),
          ),
          ['session_not_found', 'invalid_cursor', 'validation_error', 'session_load_error'],
        ),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const sessionId = sessionIdOf(params);
      const { cursor, limit } = query;
      const list = `tree ${sessionId}`;
      const afterSeq = cursor === undefined ? 0 : fromCursor(list, cursor, ['number'])[0];
      if (limit === undefined) return answerList(deps, treeFrom(sessionId, afterSeq), request, reply);
      const session = await requireSession(deps.db, sessionId);
      const { items, last } = splitPage(
        await listTree(deps.db, sessionId, { afterSeq, limit: limit + 1 }),
        limit,
      );
      return {
        session_id: sessionId,
        head: headOf(session),
        messages: items.map(({ message }) => message),
        next_cursor: last && toCursor(list, [last.seq]),
      };
    },
  );

  app.get(
    '/api/v1/sessions/:session_id/messages/:message_id/siblings',
    {
      schema: {
        tags,
        operationId: 'listSiblings',
        summary: 'Messages with the same parent',
        description: 'In creation order, the message itself included: what a switcher of branches shows.',
        params: MessageParams,
        response: responses(200, jsonAnswer('The siblings.', Type.Array(ref(Sibling))), [
          'session_not_found',
          'message_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }) => {
      const sessionId = sessionIdOf(params);
      await requireSession(deps.db, sessionId);
      await requireMessage(deps.db, sessionId, params.message_id);
      return listSiblings(deps.db, sessionId, params.message_id);
    },
  );

  app.put(
    '/api/v1/sessions/:session_id/head',
    {
      schema: {
        tags,
        operationId: 'setHead',
        summary: 'Show another branch',
        description:
          'The active path then ends at this message, an inner one included; with `descend` it goes on to the newest message below it.',
        params: SessionParams,
        body: ref(HeadInput),
        response: responses(200, jsonAnswer('The new head.', ref(SessionHead)), [
          'message_not_found',
          'session_busy',
          ...COMMON,
        ]),
      },
    },
    async ({ params, body }) => {
      const sessionId = sessionIdOf(params);
      return deps.turns.change(sessionId, () => setHead(deps, sessionId, body));
    },
  );

  app.post(
    '/api/v1/sessions/:session_id/fork',
    {
      // The body may be left out.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {};
      },
      schema: {
        tags,
        operationId: 'forkSession',
        summary: 'Fork: a new session with the path up to a message',
        params: SessionParams,
        body: ref(ForkInput),
        response: responses(201, jsonAnswer('The new session.', ref(Session)), [
          'message_not_found',
          ...COMMON,
        ]),
      },
    },
    async ({ params, body }, reply) => {
      const session = await forkSession(deps, sessionIdOf(params), body.message_id ?? null);
      return reply.code(201).send(toSession(session));
    },
  );
}

type TreeItem = Awaited<ReturnType<typeof listTree>>[number];

/** The whole tree of a session, in creation order. */
function treeFrom(sessionId: string, afterSeq: number): LongList<TreeItem> {
  return {
    head: async (db) => ({ session_id: sessionId, head: headOf(await requireSession(db, sessionId)) }),
    key: 'messages',
    slice: (db, after, limit) => listTree(db, sessionId, { afterSeq: after?.seq ?? afterSeq, limit }),
    show: ({ message }) => message,
    tail: { next_cursor: null },
  };
}
