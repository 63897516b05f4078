// Agents: models with a task and tools of their own.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import type { AgentChat, AgentChatList, AgentDetail, AgentList, AgentsReloaded } from '../wire.ts';

export interface ListAgentChats {
  readonly agent?: string;
  /** The session that they work for. */
  readonly session_id?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export function agents({ json, get }: Api) {
  return {
    /** Those that cannot work, too, with the reason. */
    list: (options?: CallOptions) => get<AgentList>('/agents', {}, options),
    get: (name: string, options?: CallOptions) =>
      get<AgentDetail>(`/agents/agent/${segment(name)}`, {}, options),
    /** The sessions in which agents work. */
    chats: (query: ListAgentChats = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<AgentChatList>('/agents/chats', { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.sessions,
      ),
    chat: (sessionId: string, options?: CallOptions) =>
      get<AgentChat>(`/agents/chats/${segment(sessionId)}`, {}, options),
    /** What runs in it is cancelled. */
    deleteChat: (sessionId: string, options?: CallOptions) =>
      json<void>({ method: 'DELETE', path: `/agents/chats/${segment(sessionId)}`, ...options }),
    /** Looks at the folders anew. */
    reload: (options?: CallOptions) =>
      json<AgentsReloaded>({ method: 'POST', path: '/agents/reload', repeated: 'safe', ...options }),
  };
}
