// A client for tests. Every JSON answer is held against the OpenAPI document: what is described is what is sent.
import { expectDescribed } from './described.ts';
import { readEvents, type StreamedEvent } from './read-events.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect; a wrong guess fails the test.
  readonly body: any;
}

interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** Events as they come; ends with the stream. */
  readonly events: AsyncGenerator<StreamedEvent, void>;
  /** All events to the end. */
  all(): Promise<StreamedEvent[]>;
  /** Closes the connection from this side. */
  abort(): void;
}

export interface TestClient {
  readonly url: string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** POST that answers as an event stream. */
  stream(path: string, body: unknown, headers?: Record<string, string>): Promise<EventStream>;
  /** A new session. @returns its id */
  createSession(settings?: Record<string, unknown>): Promise<string>;
  /** Chats and expects 200. */
  chat(sessionId: string, body: unknown): Promise<Answer>;
  /** The messages of the active path. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  messages(sessionId: string): Promise<any[]>;
}

/** Paths may leave out /api/v1. */
export function createClient(baseUrl: () => string): TestClient {
  const toUrl = (path: string) =>
    `${baseUrl()}${/^\/(api\/|livez|readyz|docs|openapi|redoc)/.test(path) ? '' : '/api/v1'}${path}`;

  async function request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(toUrl(path), {
      method,
      redirect: 'manual',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('application/json') ?? false;
    const parsed = isJson ? JSON.parse(text) : text;
    await expectDescribed({ method, url: response.url, status: response.status, body: parsed, isJson });
    return { status: response.status, headers: response.headers, body: parsed };
  }

  async function stream(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<EventStream> {
    const controller = new AbortController();
    const response = await fetch(toUrl(path), {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const events = readEvents(response);
    return {
      status: response.status,
      headers: response.headers,
      events,
      abort: () => controller.abort(),
      all: async () => Array.fromAsync(events),
    };
  }

  const client: TestClient = {
    get url() {
      return baseUrl();
    },
    request,
    stream,
    get: (path, headers) => request('GET', path, undefined, headers),
    post: (path, body, headers) => request('POST', path, body, headers),
    async createSession(settings = {}) {
      const answer = await request('POST', '/sessions', { model: 'llama3.2:latest', ...settings });
      if (answer.status !== 201) throw new Error(`no session: ${JSON.stringify(answer.body)}`);
      return answer.body.session_id;
    },
    async chat(sessionId, body) {
      const answer = await request('POST', `/chat/${sessionId}`, body);
      if (answer.status !== 200) throw new Error(`chat: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    },
    async messages(sessionId) {
      return (await request('GET', `/sessions/${sessionId}/messages`)).body.messages;
    },
  };
  return client;
}
