// A model that answers chats, and writes titles and summaries where it is asked for them.
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text } from '../fake-ollama/chat-script.ts';
import type { FakeOllama } from '../fake-ollama/fake-ollama.ts';
import type { RecordedRequest } from '../fake-ollama/request-log.ts';
import type { TestClient } from '../support/test-client.ts';

export type RequestKind = 'chat' | 'title' | 'summary';

/** What a request to the engine is for: the form that is asked for tells. */
export function kindOf(body: RequestBody | null): RequestKind {
  const { properties } = Object(body?.format) as { properties?: object };
  if (properties === undefined) return 'chat';
  return 'title' in properties ? 'title' : 'summary';
}

export function isKind(kind: RequestKind): (request: RecordedRequest) => boolean {
  return ({ body }) => kindOf(body) === kind;
}

export function requestsOf(ollama: FakeOllama, kind: RequestKind): RecordedRequest[] {
  return ollama.requestsTo('/api/chat').filter(isKind(kind));
}

export function json(value: unknown): ChatScript {
  return text(JSON.stringify(value));
}

/** The default of each kind, unless a test says otherwise. */
export function write(
  special: Partial<Record<RequestKind, (body: RequestBody) => ChatScript>> = {},
): (body: RequestBody) => ChatScript {
  return (body) => {
    const kind = kindOf(body);
    const script = special[kind]?.(body);
    if (script !== undefined) return script;
    switch (kind) {
      case 'title':
        return json({ title: 'Capital of France' });
      case 'summary':
        return json({ summary: `Of ${body.messages?.length ?? 0} messages.`, topics: ['France'] });
      default:
        return text('The capital is Paris', '.');
    }
  };
}

/** Gives the scripts one after the other, then the last one for ever. */
export function inTurn(...scripts: readonly ChatScript[]): () => ChatScript {
  let next = 0;
  return () => {
    const script = scripts[Math.min(next, scripts.length - 1)];
    next += 1;
    if (script === undefined) throw new Error('no script');
    return script;
  };
}

export async function summaryOf(server: TestClient, sessionId: string): Promise<string | null> {
  return (await server.get(`/sessions/${sessionId}/summary`)).body.summary;
}

export async function titleOf(server: TestClient, sessionId: string): Promise<string | null> {
  return (await server.get(`/sessions/${sessionId}`)).body.title;
}
