// Agents: models with a task and tools of their own.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import type {
  AgentChat,
  AgentChatList,
  AgentDetail,
  AgentList,
  AgentRunRequest,
  AgentsReloaded,
} from '../wire.ts';
import { askTurn, type SendOptions, type StreamOptions } from './ask-turn.ts';

export interface ListAgentChats {
  readonly agent?: string;
  /** The session that they work for. */
  readonly session_id?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** The connection decides nothing: whoever wants the run to stop says so. */
export type AgentRunBody = Omit<AgentRunRequest, 'on_disconnect'>;

export function agents(api: Api) {
  const { json, get } = api;
  const ask = askTurn(api);
  return {
    /** Gives it an instruction and waits for its last words. @throws MochiError what it failed with */
    run: (name: string, body: AgentRunBody, options?: SendOptions) =>
      ask.whole(`/agents/agent/${segment(name)}/chat`, body, options),
    /** Begins at once; the run has one reader. */
    stream: (name: string, body: AgentRunBody, options?: StreamOptions) =>
      ask.stream(`/agents/agent/${segment(name)}/chat/stream`, body, options),
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
