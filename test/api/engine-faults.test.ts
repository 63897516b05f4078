// Every way in which an engine fails: the code and the status of both routes, what stays in the session, and
// that the session goes on as if nothing had been.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatScript, httpAnswer, httpError, text } from '../fake-ollama/chat-script.ts';
import {
  emptyAnswer,
  exceedContextError,
  htmlAnswer,
  plainAnswer,
  redirectAnswer,
} from '../fake-ollama/http-answer.ts';
import {
  cutAfter,
  destroyAfter,
  errorAfter,
  lineAfter,
  script,
  split,
} from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

interface Fault {
  readonly script: ChatScript;
  readonly status: number;
  readonly code: string;
  /** What the message for people says. */
  readonly says: RegExp;
  /** What is kept of the answer. */
  readonly part?: string;
}

const error = (script: ChatScript, says: RegExp, part?: string): Fault => ({
  script,
  status: 502,
  code: 'ollama_error',
  says,
  ...(part !== undefined && { part }),
});
const incomplete = (script: ChatScript, part?: string): Fault => ({
  script,
  status: 502,
  code: 'incomplete_response',
  says: /ended early/,
  ...(part !== undefined && { part }),
});
const overflow = (script: ChatScript): Fault => ({
  script,
  status: 400,
  code: 'context_overflow',
  says: /exceeds the available context size|longer than the context length/,
});
const answer = text('Partial', ' answer', ' here');
const crash = 'an error was encountered while running the model: unexpected EOF';
const html200 = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' };

const BEFORE: Readonly<Record<string, Fault>> = {
  'a bad request': error(httpError(400, 'invalid model name'), /invalid model name/),
  'an unknown model': {
    script: httpError(404, "model 'foo' not found"),
    status: 404,
    code: 'model_not_found',
    says: /model 'foo' not found/,
  },
  'an unknown path': error(httpAnswer(plainAnswer(404, '404 page not found')), /404 page not found/),
  'a wrong method': error(httpAnswer(plainAnswer(405, '405 method not allowed')), /405/),
  'no memory': error(httpError(500, 'model requires more system memory'), /more system memory/),
  'a full queue': {
    script: httpError(503, 'server busy, please try again.  maximum pending requests exceeded'),
    status: 503,
    code: 'engine_busy',
    says: /maximum pending requests/,
  },
  'an empty 503': {
    script: httpAnswer(emptyAnswer(503)),
    status: 503,
    code: 'engine_busy',
    says: /503/,
  },
  'an empty 403': error(httpAnswer(emptyAnswer(403)), /403/),
  'a page of a proxy': error(httpAnswer(htmlAnswer()), /502 Bad Gateway/),
  'a page with status 200': error(httpAnswer(html200), /web page \("Log in"\): this is no Ollama/),
  'a redirect': error(httpAnswer(redirectAnswer('http://127.0.0.1:1/elsewhere')), /301/),
  'a missing sign-in': error(httpError(401, 'unauthorized'), /unauthorized/),
  'a rate limit': error(httpError(429, 'too many requests'), /too many requests/),
  'an error as an object': error(
    httpError(400, { message: 'no such thing', type: 'api_error' }),
    /no such thing/,
  ),
  'an error as JSON in a string': error(
    httpError(500, JSON.stringify({ error: { code: 500, message: 'tensor is odd' } })),
    /: tensor is odd$/,
  ),
  'an over-long prompt, native': overflow(httpError(400, exceedContextError(9000, 8192))),
  'an over-long prompt, rendered': overflow(
    httpError(400, 'the prompt is longer than the context length currently available to the model'),
  ),
  'an end without a byte': incomplete(httpAnswer(emptyAnswer(200))),
  'a socket dropped without a byte': {
    script: script(text('x'), destroyAfter(0)),
    status: 502,
    code: 'ollama_unreachable',
    says: /connection was cut/,
  },
};

const AMID: Readonly<Record<string, Fault>> = {
  'an error line': error(script(answer, errorAfter(2, crash)), /unexpected EOF/, 'Partial answer'),
  'an error line with an object': error(
    script(answer, errorAfter(2, { message: 'out of memory', code: 500 })),
    /: out of memory$/,
    'Partial answer',
  ),
  'an error line with JSON in a string': error(
    script(answer, errorAfter(2, JSON.stringify({ error: { message: 'slot is gone' } }))),
    /: slot is gone$/,
    'Partial answer',
  ),
  'an error line with a key of its own': error(
    script(answer, errorAfter(2, "raw='{'", 'error parsing tool call')),
    /parsing tool call.*raw=/,
    'Partial answer',
  ),
  'an error line in the read that brought the text': error(
    script(answer, errorAfter(2, crash), split('joined')),
    /unexpected EOF/,
    'Partial answer',
  ),
  'a garbage line': error(script(answer, lineAfter(2, '<html>')), /not JSON/, 'Partial answer'),
  'a garbage line in the read that brought the text': error(
    script(answer, lineAfter(2, '<html>'), split('joined')),
    /not JSON/,
    'Partial answer',
  ),
  'a line that says nothing': error(script(answer, lineAfter(1, '{"model":"x"}')), /neither/, 'Partial'),
  'a line that is no object': error(script(answer, lineAfter(1, '[]')), /neither/, 'Partial'),
  'an end without done': incomplete(script(answer, cutAfter(2)), 'Partial answer'),
  'an end before the first word': incomplete(script(answer, cutAfter(0))),
  'a dropped socket': incomplete(script(answer, destroyAfter(2)), 'Partial answer'),
  'half a line': incomplete(script(answer, destroyAfter(1), split(7)), 'Partial'),
};

describe('an engine that fails', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const faults = Object.entries({ ...BEFORE, ...AMID });

  it.each(faults)('plain: %s', async (_name, fault) => {
    const sessionId = await server.createSession();
    server.ollama.reply(fault.script);
    const { status, body, headers } = await server.post(`/chat/${sessionId}`, { message: 'Question?' });
    expect([status, body.detail.error.code]).toEqual([fault.status, fault.code]);
    expect(body.detail.error.message).toMatch(fault.says);
    expect(headers.get('retry-after') !== null).toBe(fault.code === 'engine_busy');
    expect(body.detail.error.details).toMatchObject({
      session_id: sessionId,
      turn_id: headers.get('x-turn-id'),
    });
    await expectUsable(sessionId, fault, body.detail.error.details);
  });

  it.each(faults)('stream: %s', async (_name, fault) => {
    const sessionId = await server.createSession();
    server.ollama.reply(fault.script);
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Question?' });
    expect(stream.status).toBe(200);
    const events = await stream.all();
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['error', 'done']);
    const failure = events.at(-2)?.data;
    expect(failure).toMatchObject({ code: fault.code, details: { session_id: sessionId } });
    expect(failure.message).toMatch(fault.says);
    expect(events.at(-1)?.data.state).toBe('failed');
    const deltas = events.filter(({ event }) => event === 'content_delta').map(({ data }) => data.content);
    expect(deltas.join('')).toBe(fault.part ?? '');
    await expectUsable(sessionId, fault, failure.details);
  });

  /** The question stays unless it is too long, the part of the answer follows it, and the next chat works. */
  async function expectUsable(sessionId: string, { part, code }: Fault, details: Record<string, unknown>) {
    const isTooLong = code === 'context_overflow';
    const kept = part === undefined ? [] : [['assistant', part, 'partial']];
    const messages = await server.messages(sessionId);
    const question = isTooLong ? [] : [['user', 'Question?', 'complete']];
    expect(messages.map(({ role, content, status }) => [role, content, status])).toEqual([
      ...question,
      ...kept,
    ]);
    expect(details['message_taken_back']).toBe(isTooLong ? true : undefined);
    expect(details['message_id']).toBe(part === undefined ? undefined : messages[1].message_id);
    if (part !== undefined) {
      expect(messages[1]).toMatchObject({ eval_count: null, prompt_eval_count: null, tool_calls: null });
    }
    expect((await server.get(`/sessions/${sessionId}`)).body.active_turn).toBeNull();
    const { body } = await server.chat(sessionId, { message: 'Again?' });
    expect(body.message.content).toBe('The capital of France is Paris.');
    expect(await server.messages(sessionId)).toHaveLength(messages.length + 2);
  }
});
