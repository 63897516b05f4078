// Sessions: conversations and their settings.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import type {
  CreateSession,
  ForkInput,
  HeadInput,
  ImportAnswer,
  LatestSummary,
  ListSessionsAnswer,
  PatchSession,
  Session,
  SessionHead,
  SessionStatus,
  SessionWithMessages,
  SummarizeInput,
  SystemPromptAnswer,
  SystemPromptInput,
  WrittenSummary,
} from '../wire.ts';

export interface ListSessions {
  /** Words that the title or the text has. */
  readonly q?: string;
  /** Of a page, at most 1000. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Sessions in which agents work, too. */
  readonly include_agents?: boolean;
  /** Sessions that clients of other APIs began without naming one, too. */
  readonly unlisted?: boolean;
}

export function sessions({ json, get, send }: Api) {
  const at = (id: string, rest = '') => `/sessions/${segment(id)}${rest}`;
  return {
    create: (settings: CreateSession = {}, options?: CallOptions) =>
      json<Session>({ method: 'POST', path: '/sessions', body: settings, ...options }),
    get: (id: string, options?: CallOptions) => get<SessionWithMessages>(at(id), {}, options),
    /** The newest first. */
    list: (query: ListSessions = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<ListSessionsAnswer>('/sessions', { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.sessions,
      ),
    /** What a client shows beside a conversation. */
    status: (id: string, options?: CallOptions) => get<SessionStatus>(at(id, '/status'), {}, options),
    update: (id: string, changes: PatchSession, options?: CallOptions) =>
      json<Session>({ method: 'PATCH', path: at(id), body: changes, repeated: 'safe', ...options }),
    delete: (id: string, options?: CallOptions) => json<void>({ method: 'DELETE', path: at(id), ...options }),
    /** A new session with the path up to a message; default: all of it. */
    fork: (id: string, input: ForkInput = {}, options?: CallOptions) =>
      json<Session>({ method: 'POST', path: at(id, '/fork'), body: input, ...options }),
    /** Shows another branch. */
    setHead: (id: string, input: HeadInput, options?: CallOptions) =>
      json<SessionHead>({ method: 'PUT', path: at(id, '/head'), body: input, repeated: 'safe', ...options }),
    /** `json`: the path, as the original has it; `jsonl`: everything. */
    export: (
      id: string,
      format: 'json' | 'jsonl' = 'json',
      { agents, ...options }: CallOptions & { readonly agents?: boolean } = {},
    ): Promise<Response> =>
      send(
        {
          method: 'GET',
          path: at(id, '/export'),
          query: { format, agents },
          accept: 'any',
          repeated: 'safe',
          ...options,
        },
        (response) => response,
      ),
    /** What `export` gave, or a file of the original: a text with lines of JSON, or one JSON object. */
    import: (file: string | object, options?: CallOptions) =>
      json<ImportAnswer>({ method: 'POST', path: '/sessions/import', ...asFile(file), ...options }),
    summary: (id: string, options?: CallOptions) => get<LatestSummary>(at(id, '/summary'), {}, options),
    /** Has one written, and waits for it. */
    summarize: (id: string, input: SummarizeInput = {}, options?: CallOptions) =>
      json<WrittenSummary>({ method: 'POST', path: at(id, '/summarize'), body: input, ...options }),
    setPrompt: (id: string, prompt: SystemPromptInput, options?: CallOptions) =>
      json<SystemPromptAnswer>({
        method: 'PUT',
        path: at(id, '/system-prompt'),
        body: prompt,
        repeated: 'safe',
        ...options,
      }),
    clearPrompt: (id: string, options?: CallOptions) =>
      json<void>({ method: 'DELETE', path: at(id, '/system-prompt'), ...options }),
  };
}

/** Several lines of JSON, or one object: the server tells them apart by their type. */
function asFile(file: string | object): { body: unknown; headers?: Record<string, string> } {
  return typeof file === 'string' && isLines(file)
    ? { body: file, headers: { 'content-type': 'application/x-ndjson' } }
    : { body: file };
}

/** Its first line is whole by itself, and more follow, or it says what it is: no file of one object does. */
function isLines(text: string): boolean {
  const [first = '', ...others] = text.trim().split('\n', 2);
  try {
    const value: unknown = JSON.parse(first);
    return others.length > 0 || typeof Object(value)['type'] === 'string';
  } catch {
    return false;
  }
}
