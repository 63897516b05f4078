// Answers after tools: in a format that was asked for, and where the model has fallen silent.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sequence, text, thinking, toolCall } from '../fake-ollama/chat-script.ts';
import { ADD, shown, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { watchAll } from './watching.ts';

const FORMAT = { type: 'object', required: ['sum'], properties: { sum: { type: 'integer' } } };
const CALL = toolCall('add_numbers', { a: 1, b: 2 });
const FIT = '{"sum":3}';

let server: ToolServer;
let sessionId = '';
beforeAll(async () => {
  server = await startToolServer([ADD]);
});
afterAll(() => server.close());
beforeEach(async () => {
  server.ollama.requests.length = 0;
  sessionId = await server.toolSession(['add_numbers'], { model: 'qwen3:14b' });
});

/** What each model call was sent: whether tools, whether a format, and how the messages end. */
const sent = () =>
  server.ollama.requestsTo('/api/chat').map(({ body }: any) => ({
    tools: body.tools?.length ?? 0,
    format: body.format ?? null,
    last: body.messages.at(-1).role,
  }));
const deltasOf = (events: readonly any[]) =>
  events.filter(({ event }) => event === 'content_delta').map(({ data }) => data.content);
const stored = async () => (await server.messages(sessionId)).map(({ role, content }) => [role, content]);

describe('a format beside tools', () => {
  it('is asked for when the model rests with another text, which nobody sees', async () => {
    server.ollama.reply(CALL, thinking(['Hm.'], ['It is three.']), text('{"sum"', ':3}'));
    const events = await server.told(sessionId, { message: 'Add.', format: FORMAT, think: true });
    expect(sent()).toEqual([
      { tools: 1, format: null, last: 'user' },
      { tools: 1, format: null, last: 'tool' },
      { tools: 0, format: FORMAT, last: 'tool' },
    ]);
    expect(deltasOf(events)).toEqual(['{"sum"', ':3}']);
    expect(events.some(({ event }) => event === 'thinking_delta')).toBe(false);
    const complete = events.at(-2)?.data;
    expect(complete.message).toMatchObject({ content: FIT, parsed: { sum: 3 }, thinking: null });
    expect(complete.context).toMatchObject({ tools_offered: [], tools_missing: [], cache_break: 'tools' });
    expect(await stored()).toEqual([
      ['user', 'Add.'],
      ['assistant', ''],
      ['tool', '3'],
      ['assistant', FIT],
    ]);
    const turnId = events[0]?.data.turn_id;
    expect(await watchAll(server, turnId)).toEqual(events);
    await server.restart();
    expect((await watchAll(server, turnId)).slice(1)).toEqual(events.slice(-2));
  });

  it('what fits is the answer, told once, and costs no further call', async () => {
    server.ollama.reply(CALL, text('{"sum"', ': 3}'));
    const events = await server.told(sessionId, { message: 'Add.', format: FORMAT });
    expect(sent()).toHaveLength(2);
    expect(deltasOf(events)).toEqual(['{"sum": 3}']);
    expect(events.at(-2)?.data.message.parsed).toEqual({ sum: 3 });
    const plain = await server.toolSession(['add_numbers']);
    server.ollama.reply(text(FIT));
    const { body } = await server.chat(plain, { message: 'Add.', format: 'json' });
    expect(body.message.parsed).toEqual({ sum: 3 });
  });

  it('keeps what is said before a call', async () => {
    server.ollama.reply(sequence(text('Let me ', 'see.'), CALL), text(FIT));
    const events = await server.told(sessionId, { message: 'Add.', format: FORMAT });
    expect(deltasOf(events)).toEqual(['Let me see.', FIT]);
    expect((await stored())[1]).toEqual(['assistant', 'Let me see.']);
  });

  it('an answer that still does not fit fails as without tools', async () => {
    server.ollama.reply(text('Three.'), text('Three!'));
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Add.', format: FORMAT });
    expect([status, body.detail.error.code]).toEqual([502, 'invalid_structured_output']);
    expect(sent().map(({ format }) => format)).toEqual([null, FORMAT]);
    expect(await stored()).toEqual([
      ['user', 'Add.'],
      ['assistant', 'Three!'],
    ]);
  });

  it('a model that cannot call tools is asked for it at once', async () => {
    const plain = await server.toolSession(['add_numbers'], { model: 'tiny' });
    server.ollama.reply(text(FIT));
    await server.chat(plain, { message: 'Add.', format: FORMAT });
    expect(sent()).toEqual([{ tools: 0, format: FORMAT, last: 'user' }]);
  });
});

describe('silence after tools', () => {
  it('is asked about once more, without tools; nothing of that is stored', async () => {
    server.ollama.reply(CALL, thinking(['Three it is.'], [' \n']), text('Three.'));
    const events = await server.told(sessionId, { message: 'Add.', think: true });
    expect(sent().map(({ tools, last }) => [tools, last])).toEqual([
      [1, 'user'],
      [1, 'tool'],
      [0, 'user'],
    ]);
    expect(events.at(-2)?.data.message).toMatchObject({ content: 'Three.', thinking: null });
    expect(await stored()).toEqual([
      ['user', 'Add.'],
      ['assistant', ''],
      ['tool', '3'],
      ['assistant', 'Three.'],
    ]);
    const tree = await server.get(`/sessions/${sessionId}/tree`);
    expect(tree.body.messages).toHaveLength(4);
    server.ollama.reply(text('Four.'));
    await server.chat(sessionId, { message: 'And one more?' });
    const roles = server.ollama
      .requestsTo('/api/chat')
      .slice(-1)
      .flatMap(({ body }: any) => body.messages.map(({ role }: any) => role));
    expect(roles).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
  });

  it('silence again is the answer', async () => {
    server.ollama.reply(CALL, text(''), text(''));
    const events = await server.told(sessionId, { message: 'Add.' });
    expect(sent()).toHaveLength(3);
    expect(shown(events).slice(-2)).toEqual([
      ['message_complete', ''],
      ['done', 'completed'],
    ]);
  });

  it('without a round before it is the answer', async () => {
    server.ollama.reply(text(''));
    await server.chat(sessionId, { message: 'Say nothing.' });
    expect(sent()).toHaveLength(1);
  });

  it('a call that comes then is answered, and does not run', async () => {
    server.ollama.reply(CALL, text(''), CALL, text('Well.'));
    const { body } = await server.chat(sessionId, { message: 'Add.' });
    expect(body.message.content).toBe('Well.');
    expect(body.tool_calls_executed.map(({ success }: any) => success)).toEqual([true, false]);
  });
});
