// What a model writes into its calls is stored and comes back, or is refused with a reason: from engines and files.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLE_LINES } from '../../src/contract/jsonl-example.ts';
import { text, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
let other: TestServer;
beforeAll(async () => {
  [server, other] = await Promise.all([startTestServer(), startTestServer()]);
});
afterAll(() => Promise.all([server.close(), other.close()]));

const NDJSON = { 'content-type': 'application/x-ndjson' };
/** JSON text of an object in an object in an object … */
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** Exports a session and imports it at another server. */
async function moved(sessionId: string, format: 'json' | 'jsonl'): Promise<any[]> {
  const answer = await fetch(`${server.url}/api/v1/sessions/${sessionId}/export?format=${format}`);
  const exported = await answer.text();
  const { body } = await other.post('/sessions/import', exported, format === 'jsonl' ? NDJSON : {});
  expect(body).toMatchObject({ imported: [{ source_id: sessionId }], skipped: [] });
  const messages = await other.messages(sessionId);
  await other.request('DELETE', `/sessions/${sessionId}`);
  return messages;
}

describe('what an engine sends', () => {
  it.each([
    ['half a surrogate pair', toolCall('look\uD83C', { 'key\uDF61': ['x\uD83C', { y: '\uDC00z' }] })],
    ['arguments that are nested as deep as may be', toolCall('look', nested(50))],
    ['a number that is too large', toolCall('look', '{"a": 1e999}')],
    [
      'as many calls as may be',
      toolCalls(Array.from({ length: 512 }, (_, n) => ({ name: 'f', args: { n } }))),
    ],
  ])('%s comes back as it was answered', async (_, calls) => {
    const sessionId = await server.createSession();
    server.ollama.reply(calls, text('No.'));
    const { body } = await server.chat(sessionId, { message: 'Look.' });
    const messages = await server.messages(sessionId);
    const [, asking] = messages;
    expect(asking.tool_calls).toEqual(
      body.tool_calls_executed.map(({ name, arguments: given }: any) => ({
        function: { name, arguments: given },
      })),
    );
    const shown = ({ role, content, tool_calls }: any) => ({ role, content, tool_calls });
    for (const format of ['jsonl', 'json'] as const) {
      expect((await moved(sessionId, format)).map(shown)).toEqual(messages.map(shown));
    }
  });

  it.each([
    ['arguments that are nested too deeply', toolCall('look', nested(51)), /nested over 50 levels/],
    ['far too deeply', toolCall('look', nested(10_000)), /nested over 50 levels/],
    ['far too deeply, in a list', toolCall('look', `[${nested(10_000)}]`), /nested over 50 levels/],
    [
      'too many calls',
      toolCalls(Array.from({ length: 20_000 }, () => ({ name: 'f', args: {} }))),
      /over 512/,
    ],
  ])('%s end the turn with a reason', async (_, calls, reason) => {
    const sessionId = await server.createSession();
    server.ollama.reply(calls);
    const answer = await server.post(`/chat/${sessionId}`, { message: 'Look.' });
    expectError(answer, 502, 'tool_calls_unusable');
    expect(answer.body.detail.error.message).toMatch(reason);
    expect((await server.messages(sessionId)).map(({ role }) => role)).toEqual(['user']);
  });

  it('a count that is none is not known', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply({
      steps: [
        { type: 'chunk', message: { content: 'Yes.' } },
        { type: 'final', message: { content: '' }, fields: { eval_count: -3, prompt_eval_count: 1e300 } },
      ],
    });
    const { body } = await server.chat(sessionId, { message: 'Hm?' });
    expect(body.message).toMatchObject({ eval_count: null, prompt_eval_count: null });
    expect((await moved(sessionId, 'jsonl')).at(-1)).toMatchObject({ content: 'Yes.', eval_count: null });
  });
});

describe('what a file holds', () => {
  const [session, message] = EXAMPLE_LINES as Record<string, any>[];
  const call = (given: string) => `{"function":{"name":"f","arguments":${given}}}`;
  const importLines = (line: string) =>
    other.post('/sessions/import', `${JSON.stringify({ ...session, head: 'm' })}\n${line}\n`, NDJSON);
  const withCalls = (calls: string) =>
    JSON.stringify({ ...message, message_id: 'm', role: 'assistant', tool_calls: '#' }).replace(
      '"#"',
      `[${calls}]`,
    );

  it('lines with too many calls, or too deep ones, are refused', async () => {
    const many = await importLines(withCalls(Array.from({ length: 4097 }, () => call('{}')).join()));
    expectError(many, 422, 'validation_error');
    expect(many.body.detail.error.message).toMatch(/line 2: \/tool_calls must NOT have more than 4096 items/);
    const deep = await importLines(withCalls(call(nested(10_000))));
    expect(deep.body.detail.error.message).toMatch(/line 2: is nested over 900 levels deep/);
  });

  it.each([
    ['too deep', call(nested(10_000)), /nested/],
    ['too many calls', Array.from({ length: 20_000 }, () => call('{}')).join(), /over 4096 calls/],
    ['half a surrogate pair', call('{"a":"\\ud83c"}'), /surrogate/],
  ])('a file of the original is refused: %s', async (_, calls, reason) => {
    const file = `{"metadata":{"model":"m"},"messages":[{"role":"assistant","content":"","tool_calls":[${calls}]}]}`;
    const answer = await other.post('/sessions/import', file);
    expectError(answer, 422, 'validation_error');
    expect(answer.body.detail.error.message).toMatch(reason);
  });
});
