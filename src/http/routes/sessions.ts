// Sessions: create, list, read, change, delete.
import { Type } from 'typebox';
import { nullable, ref } from '../../contract/schema.ts';
import { IncludeAgents, IncludeUnlisted, SearchText } from '../../contract/search.ts';
import {
  CreateSession,
  PatchSession,
  Session,
  SessionListItem,
  SessionStatus,
  SessionWithMessages,
} from '../../contract/session.ts';
import { createSession } from '../../sessions/create-session.ts';
import { patchSession } from '../../sessions/patch-session.ts';
import { requireSession } from '../../sessions/require.ts';
import { readStatus } from '../../sessions/session-status.ts';
import { listSessions } from '../../store/list-sessions.ts';
import { findSessions } from '../../store/search.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, NO_CONTENT, responses } from '../document.ts';
import { answerList } from '../long-list.ts';
import { fromCursor, MAX_LIMIT, PageQuery, splitPage, toCursor } from '../paging.ts';
import { SessionParams, sessionIdOf } from '../params.ts';
import { pathFrom } from '../path-list.ts';
import { searchList, searchQueryOf } from '../search-text.ts';

const MODEL_ERRORS = [
  'model_unusable',
  'ollama_unreachable',
  'ollama_error',
  'engine_busy',
  'engine_not_ready',
] as const;
const STORE_ERRORS = ['session_load_error', 'session_save_error', 'database_busy', 'storage_lost'] as const;

export function sessionRoutes(app: App, deps: AppDeps): void {
  const tags = ['sessions'];

  app.post(
    '/api/v1/sessions',
    {
      // The body may be left out.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {};
      },
      schema: {
        tags,
        operationId: 'createSession',
        summary: 'Create a session',
        description: 'Everything may be left out: an empty body makes a session with the default model.',
        body: ref(CreateSession),
        response: responses(201, jsonAnswer('The new session.', ref(Session)), [
          ...MODEL_ERRORS,
          'prompt_not_found',
          'invalid_filename',
          'invalid_content',
          ...BODY_ERRORS,
          ...STORE_ERRORS,
        ]),
      },
    },
    async ({ body }, reply) => {
      const session = await createSession(deps, body);
      return reply.code(201).send(toSession(session));
    },
  );

  app.get(
    '/api/v1/sessions',
    {
      schema: {
        tags,
        operationId: 'listSessions',
        summary: 'List sessions, the newest first',
        description:
          'With `q` only those whose title or messages hold what is looked for; a blank one is no filter.',
        querystring: Type.Object({
          ...PageQuery.properties,
          q: Type.Optional(SearchText),
          include_agents: IncludeAgents,
          unlisted: IncludeUnlisted,
        }),
        response: responses(
          200,
          jsonAnswer(
            'A page of sessions.',
            Type.Object({
              sessions: Type.Array(ref(SessionListItem)),
              next_cursor: nullable(Type.String()),
              truncated: Type.Optional(
                Type.Boolean({
                  description:
                    'Only with `q`. More was found than is listed: only the sessions of the newest 5000 hits are.',
                }),
              ),
            }),
          ),
          ['invalid_cursor', 'validation_error', 'session_load_error'],
        ),
      },
    },
    async ({ query }) => {
      const limit = query.limit ?? MAX_LIMIT;
      const text = query.q ?? '';
      const search = text.trim() === '' ? null : searchQueryOf(text);
      const includesAgents = query.include_agents ?? false;
      const includesUnlisted = query.unlisted ?? false;
      const which = `${includesAgents ? 'all sessions' : 'sessions'}${includesUnlisted ? ', unlisted too' : ''}`;
      const list = search === null ? which : searchList(which, search);
      const after = query.cursor === undefined ? null : fromCursor(list, query.cursor, ['string', 'string']);
      const found = search && (await findSessions(deps.db, search, { includesAgents, includesUnlisted }));
      const rows = await listSessions(deps.db, {
        limit: limit + 1,
        includesAgents,
        includesUnlisted,
        after: after && { updatedAt: after[0], id: after[1] },
        ...(found && { ids: found.ids }),
      });
      const { items, last } = splitPage(rows, limit);
      return {
        sessions: items,
        next_cursor: last && toCursor(list, [last.updated_at, last.session_id]),
        ...(found && { truncated: found.isTruncated }),
      };
    },
  );

  app.get(
    '/api/v1/sessions/:session_id',
    {
      schema: {
        tags,
        operationId: 'getSession',
        summary: 'A session with its messages',
        params: SessionParams,
        response: responses(200, jsonAnswer('The session.', ref(SessionWithMessages)), [
          'session_not_found',
          'session_load_error',
        ]),
      },
    },
    async (request, reply) => {
      const sessionId = sessionIdOf(request.params);
      const head = async (db: AppDeps['db']) => toSession(await requireSession(db, sessionId));
      return answerList(deps, { ...pathFrom(sessionId), head, tail: {} }, request, reply);
    },
  );

  app.get(
    '/api/v1/sessions/:session_id/status',
    {
      schema: {
        tags,
        operationId: 'getSessionStatus',
        summary: 'How a session stands',
        description: 'Its settings and window, and the receipt of the last turn.',
        params: SessionParams,
        response: responses(200, jsonAnswer('The status.', ref(SessionStatus)), [
          'session_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }) =>
      readStatus(deps, sessionIdOf(params), async (names) => {
        if (names.length > 0) await deps.agents.ready();
        return deps.agents.enabled(names).map(({ name }) => name);
      }),
  );

  app.patch(
    '/api/v1/sessions/:session_id',
    {
      schema: {
        tags,
        operationId: 'updateSession',
        summary: 'Change settings',
        description:
          'A given `tool_settings`, `agent_settings` or `metadata` replaces the old one whole. What is absent stays. `null` clears `title` and `summary_model`, and leaves everything else as it is.',
        params: SessionParams,
        body: ref(PatchSession),
        response: responses(200, jsonAnswer('The session.', ref(Session)), [
          'session_not_found',
          ...MODEL_ERRORS,
          ...BODY_ERRORS,
          ...STORE_ERRORS,
        ]),
      },
    },
    async ({ params, body }) => toSession(await patchSession(deps, sessionIdOf(params), body)),
  );

  app.delete(
    '/api/v1/sessions/:session_id',
    {
      schema: {
        tags,
        operationId: 'deleteSession',
        summary: 'Delete a session, its branches and turns',
        description: 'A turn that runs is cancelled first.',
        params: SessionParams,
        response: responses(204, NO_CONTENT, ['session_not_found', ...BODY_ERRORS, ...STORE_ERRORS]),
      },
    },
    async ({ params }, reply) => {
      const sessionId = sessionIdOf(params);
      const wasThere = await deps.turns.delete(sessionId);
      // Its row is not read before: a damaged one can be deleted, too.
      if (!wasThere) await requireSession(deps.db, sessionId);
      return reply.code(204).send();
    },
  );
}

/** What a client sees of a session. */
export function toSession(session: StoredSession): Session {
  const {
    systemId: _system,
    headId: _head,
    headDepth: _depth,
    summary: _summary,
    promptMark: _mark,
    kind: _kind,
    agentName: _agent,
    parentSessionId: _parent,
    clientKey: _name,
    isListed: _listed,
    newestTurnAt: _newest,
    ...shown
  } = session;
  return shown;
}
