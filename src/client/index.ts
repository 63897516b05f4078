// The client of mochi-server: `createMochi`, and the types of what goes over the wire.

import { type Api, type CallOptions, createApi, listOf } from './api.ts';
import { connect, type MochiOptions } from './options.ts';
import { agents } from './resources/agents.ts';
import { approvals } from './resources/approvals.ts';
import { chat } from './resources/chat.ts';
import { type EventsOptions, events } from './resources/events.ts';
import { messages } from './resources/messages.ts';
import { models } from './resources/models.ts';
import { prompts } from './resources/prompts.ts';
import { sessions } from './resources/sessions.ts';
import { tools } from './resources/tools.ts';
import { turns } from './resources/turns.ts';
import { createSend, type Exchange } from './send.ts';
import type { GetHealthAnswer, SearchAnswer } from './wire.ts';

export type { CallOptions, List } from './api.ts';
export { type CallOutcome, outcomeOf } from './call-outcome.ts';
export { isMochiError, MochiError } from './errors.ts';
export { foldTurn } from './fold-turn.ts';
export type { Link, MochiOptions, Reconnect, Refused, RetryOptions, UnknownEvent } from './options.ts';
export type { AgentRunBody } from './resources/agents.ts';
export { newKey, type SendOptions, type StreamOptions } from './resources/ask-turn.ts';
export type { ChatBody } from './resources/chat.ts';
export type { EventsOptions, ServerEvent } from './resources/events.ts';
export type { ListMessages, ListTree } from './resources/messages.ts';
export type { PullOptions } from './resources/models.ts';
export type { ListSessions } from './resources/sessions.ts';
export type { WatchOptions } from './resources/turns.ts';
export type { Turn } from './turn.ts';
export type { TurnEvent } from './turn-event.ts';
export {
  type AgentStep,
  type AgentView,
  EMPTY_TURN,
  type ToolProgress,
  type ToolView,
  type TurnView,
} from './turn-view.ts';
export type * from './wire.ts';
export type { Turn as TurnRecord } from './wire.ts';

export type Mochi = ReturnType<typeof createMochi>;

/** Nothing is asked for before a method is called. */
export function createMochi(options: MochiOptions = {}) {
  const connection = connect(options);
  const api = createApi(connection, createSend(connection));
  return {
    baseUrl: connection.baseUrl,
    sessions: sessions(api),
    messages: messages(api),
    chat: chat(api),
    turns: turns(api),
    models: models(api),
    prompts: prompts(api),
    tools: tools(api),
    approvals: approvals(api),
    agents: agents(api),
    /** In titles and texts; every item is a hit. */
    search: (
      q: string,
      query: { limit?: number; cursor?: string; include_agents?: boolean; unlisted?: boolean } = {},
      options?: CallOptions,
    ) =>
      listOf(
        (cursor) =>
          api.get<SearchAnswer>('/search', { ...query, q, cursor: cursor ?? query.cursor }, options),
        (page) => page.results,
      ),
    health: (options?: CallOptions) => api.get<GetHealthAnswer>('/health', {}, options),
    /** What happens on the server: for lists, other tabs, other devices. */
    events: (options?: EventsOptions) => events(api, options),
    /** Any route, by the same rules. The path comes after `/api/v1`. */
    request: <T>(method: string, path: string, body?: unknown, options?: RequestOptions) =>
      request<T>(api, { method, path, body, ...options }),
  };
}

interface RequestOptions extends CallOptions {
  readonly query?: Exchange['query'];
}

function request<T>({ json }: Api, exchange: Exchange): Promise<T> {
  return json<T>({ ...exchange, repeated: exchange.method === 'GET' ? 'safe' : 'once' });
}
