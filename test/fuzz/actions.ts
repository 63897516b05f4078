// What clients do to one session at the same time.
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text, thinking, tokens, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { everyMs, firstTokenMs, script } from '../fake-ollama/script-modifiers.ts';
import type { TestServer } from '../support/test-server.ts';

interface ChatAction {
  readonly type: 'chat';
  readonly message: string | null;
  readonly mode: 'regenerate' | 'continue';
  readonly on_busy: 'queue' | 'reject' | 'interrupt';
  readonly on_disconnect?: 'cancel' | 'continue' | undefined;
  /** Null: the plain answer is waited for; otherwise a stream that is left after so many events, 0: before any. */
  readonly events: number | null;
  readonly key: string | null;
}

interface RequestAction {
  readonly type: 'request';
  readonly method: string;
  /** Below the session. */
  readonly path: string;
  readonly body?: unknown;
  /** Puts the id of a message in the place of `message_id`. */
  readonly at?: number;
}

export type Action = ChatAction | RequestAction;

/** What a stream may end with while the engine is well. */
const EXPECTED_ERRORS = ['turn_cancelled', 'session_not_found', 'empty_history'];

/** Texts that the engine below knows. */
const MESSAGES = ['quick', 'paced', 'slow start', 'one call', 'two calls', 'thinking'];

const chats: fc.Arbitrary<Action> = fc.record({
  type: fc.constant('chat' as const),
  message: fc.option(fc.constantFrom(...MESSAGES), { freq: 5, nil: null }),
  mode: fc.constantFrom('regenerate' as const, 'continue' as const),
  on_busy: fc.constantFrom('queue' as const, 'queue' as const, 'reject' as const, 'interrupt' as const),
  on_disconnect: fc.constantFrom(undefined, 'cancel' as const, 'continue' as const),
  events: fc.option(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(1000)), { freq: 3, nil: null }),
  key: fc.option(fc.constantFrom('k1', 'k2'), { freq: 1, nil: null }),
});

function request(method: string, path: string, bodies: fc.Arbitrary<unknown> = fc.constant(undefined)) {
  return fc.record({
    type: fc.constant('request' as const),
    method: fc.constant(method),
    path: fc.constant(path),
    body: bodies,
    at: fc.nat(40),
  });
}

const named = fc.constant({ message_id: true });
const changes: fc.Arbitrary<Action> = fc.oneof(
  fc
    .integer({ min: 0, max: 6 })
    .chain((index) => request('PUT', `/messages/${index}`, fc.constant({ content: 'paced' }))),
  request('PUT', '/head', named),
  request('POST', '/fork', fc.oneof(named, fc.constant({}))),
  request('PATCH', '', fc.record({ title: fc.string(), model: fc.constantFrom('llama3.2', 'qwen3:14b') })),
  request('PUT', '/system-prompt', fc.record({ content: fc.constantFrom('Be brief.', 'Be long.') })),
  request('DELETE', '/system-prompt'),
  request('POST', '/cancel'),
);

const reads: fc.Arbitrary<Action> = fc.oneof(
  ...['', '/messages', '/tree', '/turns', '/tree?limit=2', '/messages?limit=3'].map((path) =>
    request('GET', path),
  ),
);

export const actions = fc.oneof(
  { weight: 5, arbitrary: chats },
  { weight: 4, arbitrary: changes },
  { weight: 2, arbitrary: reads },
);

export const deletion: Action = { type: 'request', method: 'DELETE', path: '' };

/** Does it and holds the answer against what may come of it. @param ids messages that exist */
export async function perform(
  server: TestServer,
  sessionId: string,
  { action, ids }: { readonly action: Action; readonly ids: readonly string[] },
): Promise<void> {
  const shown = JSON.stringify(action);
  if (action.type === 'request') {
    const { method, at = 0 } = action;
    const isCancel = action.path === '/cancel';
    const path = isCancel ? `/chat/${sessionId}/cancel` : `/sessions/${sessionId}${action.path}`;
    const isNamed = typeof action.body === 'object' && action.body !== null && 'message_id' in action.body;
    const body = isNamed ? { message_id: ids[at % ids.length] ?? 'gone' } : action.body;
    const { status, body: answer } = await server.request(method, path, body);
    expect(status, `${shown} → ${JSON.stringify(answer)}`).toBeLessThan(500);
    return;
  }
  const { type: _type, events, key, ...body } = action;
  const headers = key === null ? {} : { 'idempotency-key': key };
  if (events === null) {
    const { status, body: answer } = await server.post(`/chat/${sessionId}`, body, headers);
    expect(status, `${shown} → ${JSON.stringify(answer)}`).toBeLessThan(500);
  } else {
    await watch(server, sessionId, { body, headers, events });
  }
}

async function watch(
  server: TestServer,
  sessionId: string,
  { body, headers, events }: { body: object; headers: Record<string, string>; events: number },
): Promise<void> {
  if (events === 0) return leaveAtOnce(server, sessionId, { body, headers });
  const stream = await server.stream(`/chat/${sessionId}/stream`, body, headers);
  expect(stream.status).toBeLessThan(500);
  const seen: string[] = [];
  while (stream.status === 200 && seen.length < events) {
    const next = await stream.events.next();
    if (next.done) break;
    const { event, data } = next.value;
    seen.push(event);
    if (event === 'error') expect(EXPECTED_ERRORS).toContain(data.code);
  }
  if (stream.status === 200 && seen.length < events) expect(seen.at(-1)).toBe('done');
  stream.abort();
}

/** Before the answer, and often before the server has read the request. */
async function leaveAtOnce(
  server: TestServer,
  sessionId: string,
  { body, headers }: { body: object; headers: Record<string, string> },
): Promise<void> {
  const controller = new AbortController();
  const answer = fetch(`${server.url}/api/v1/chat/${sessionId}/stream`, {
    method: 'POST',
    signal: controller.signal,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }).catch((error: unknown) => expect(error).toHaveProperty('name', 'AbortError'));
  await setImmediate();
  controller.abort();
  await answer;
}

/** An engine whose answers take some time, and sometimes ask for tools. */
export function answerByText(body: RequestBody): ChatScript {
  const last = body.messages?.at(-1);
  if (last?.role === 'tool') return script(text('after', ' the', ' tools'), everyMs(1));
  switch (last?.content) {
    case 'paced':
      return script(tokens(10), everyMs(2));
    case 'slow start':
      return script(tokens(3), firstTokenMs(15));
    case 'one call':
      return script(toolCall('a', { x: 1 }), everyMs(2));
    case 'two calls':
      return toolCalls([
        { name: 'a', args: {} },
        { name: 'b', args: {} },
      ]);
    case 'thinking':
      return script(thinking(['hm', ' hm'], ['so', ' it is']), everyMs(1));
    default:
      return text('Yes', '.');
  }
}
