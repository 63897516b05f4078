// The chats in which agents work: list, read, delete.
import { Type } from 'typebox';
import { AgentChat, AgentChatList } from '../../contract/agent-chat.ts';
import { ref } from '../../contract/schema.ts';
import { requireAgentChat } from '../../sessions/require.ts';
import { findFirstParent } from '../../store/agent-runs.ts';
import { listAgentChats } from '../../store/list-sessions.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, NO_CONTENT, responses } from '../document.ts';
import { answerList } from '../long-list.ts';
import { fromCursor, MAX_LIMIT, PageQuery, splitPage, toCursor } from '../paging.ts';
import { SessionParams, sessionIdOf } from '../params.ts';
import { pathFrom } from '../path-list.ts';
import { toSession } from './sessions.ts';

export function agentChatRoutes(app: App, deps: AppDeps): void {
  const tags = ['agents'];

  app.get(
    '/api/v1/agents/chats',
    {
      schema: {
        tags,
        operationId: 'listAgentChats',
        summary: 'Chats in which agents work, the newest first',
        description: 'The list of sessions does without them, unless it is asked for them.',
        querystring: Type.Object({
          ...PageQuery.properties,
          agent: Type.Optional(
            Type.String({ description: 'Only those of this agent.', examples: ['researcher'] }),
          ),
          session_id: Type.Optional(
            Type.String({ description: 'Only those that turns of this session have begun.' }),
          ),
        }),
        response: responses(200, jsonAnswer('A page of agent chats.', ref(AgentChatList)), [
          'invalid_cursor',
          'validation_error',
          'session_load_error',
        ]),
      },
    },
    async ({ query }) => {
      const { limit = MAX_LIMIT, cursor, agent = null, session_id: parentSessionId = null } = query;
      const list = `agent chats ${JSON.stringify([agent, parentSessionId])}`;
      const after = cursor === undefined ? null : fromCursor(list, cursor, ['string', 'string']);
      const rows = await listAgentChats(deps.db, {
        limit: limit + 1,
        after: after && { updatedAt: after[0], id: after[1] },
        agent,
        parentSessionId,
      });
      const { items, last } = splitPage(rows, limit);
      const chats = [...items];
      return {
        sessions: chats,
        chats,
        next_cursor: last && toCursor(list, [last.updated_at, last.session_id]),
      };
    },
  );

  app.get(
    '/api/v1/agents/chats/:session_id',
    {
      schema: {
        tags,
        operationId: 'getAgentChat',
        summary: 'An agent chat with its messages',
        params: SessionParams,
        response: responses(200, jsonAnswer('The agent chat.', ref(AgentChat)), [
          'session_not_found',
          'session_load_error',
        ]),
      },
    },
    async (request, reply) => {
      const sessionId = sessionIdOf(request.params);
      const head = async (db: AppDeps['db']) => {
        const chat = await requireAgentChat(db, sessionId);
        return {
          ...toSession(chat),
          agent_name: chat.agentName,
          parent_session_id: chat.parentSessionId,
          parent_turn_id: await findFirstParent(db, sessionId),
        };
      };
      return answerList(deps, { ...pathFrom(sessionId), head, tail: {} }, request, reply);
    },
  );

  app.delete(
    '/api/v1/agents/chats/:session_id',
    {
      schema: {
        tags,
        operationId: 'deleteAgentChat',
        summary: 'Delete an agent chat',
        description:
          'A run that works in it is cancelled first; the turn that started the run goes on without it.',
        params: SessionParams,
        response: responses(204, NO_CONTENT, [
          'session_not_found',
          ...BODY_ERRORS,
          'session_load_error',
          'session_save_error',
          'database_busy',
          'storage_lost',
        ]),
      },
    },
    async ({ params }, reply) => {
      const sessionId = sessionIdOf(params);
      await requireAgentChat(deps.db, sessionId);
      await deps.turns.delete(sessionId);
      return reply.code(204).send();
    },
  );
}
