// The bytes of an answer may come in any pieces: what a client gets is the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatScript,
  chunks,
  hugeLine,
  sequence,
  text,
  thinking,
  toolCalls,
} from '../fake-ollama/chat-script.ts';
import {
  blankLines,
  finalFields,
  lineAfter,
  noCounts,
  noEmptyContent,
  noFinalNewline,
  type ScriptModifier,
  script,
  split,
} from '../fake-ollama/script-modifiers.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const PIECES = ['Přílišný', ' 🦙\n', '{"a":', ' "\\u003c"}', '\u2028 漢字', ' 👩‍👩‍👧'];

const FRAMINGS: readonly [name: string, ...modifiers: ScriptModifier[]][] = [
  ['one line per write'],
  ['byte by byte', split('byte')],
  ['seven bytes at a time', split(7)],
  ['all lines in one write', split('joined')],
  ['no final newline', noFinalNewline()],
  ['byte by byte without a final newline', split('byte'), noFinalNewline()],
  ['blank lines', blankLines()],
  ['lines of spaces and CR', lineAfter(1, '  \r'), lineAfter(3, '\t')],
  ['all at once', blankLines(), noFinalNewline(), split('joined')],
];

describe('the framing of an answer', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  async function streamed(scripted: ChatScript, body: object = {}, settings: object = {}) {
    const sessionId = await server.createSession({ ...settings });
    server.ollama.reply(scripted);
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello', ...body });
    return stream.all();
  }

  it.each(FRAMINGS)('does not show: %s', async (_name, ...modifiers) => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text(...PIECES), ...modifiers));
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    expect(body.message.content).toBe(PIECES.join(''));
    expect(body.message.eval_count).toBe(PIECES.length);
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({
      content: PIECES.join(''),
      status: 'complete',
    });
  });

  it('lets a line of several megabytes pass', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(hugeLine(5_000_000));
    const { body } = await server.chat(sessionId, { message: 'Long, please.' });
    expect(body.message.content).toHaveLength(5_000_000);
  });

  it('takes thinking and text from one chunk, the thinking first', async () => {
    const mixed = chunks({ thinking: 'Hm', content: 'Yes' }, { thinking: '.', content: '!' });
    const events = await streamed(mixed, { think: true }, { model: 'qwen3:14b' });
    const deltas = events.filter(({ event }) => event.endsWith('_delta'));
    expect(deltas.map(({ event, data }) => `${event} ${data.content}`)).toEqual([
      'thinking_delta Hm',
      'content_delta Yes',
      'thinking_delta .',
      'content_delta !',
    ]);
  });

  it('takes text and thinking from the last chunk too', async () => {
    const last: ChatScript = {
      steps: [{ type: 'final', message: { content: 'All at once.', thinking: 'Quick.' }, fields: {} }],
    };
    const events = await streamed(last, { think: true }, { model: 'qwen3:14b' });
    expect(events.find(({ event }) => event === 'message_complete')?.data.message).toMatchObject({
      content: 'All at once.',
      thinking: 'Quick.',
    });
  });

  it('does not mind a chunk without content', async () => {
    const sessionId = await server.createSession({ model: 'qwen3:14b' });
    server.ollama.reply(script(thinking(['Hm', 'm'], ['Yes.']), noEmptyContent()));
    const { body } = await server.chat(sessionId, { message: 'Hello', think: true });
    expect(body.message).toMatchObject({ thinking: 'Hmm', content: 'Yes.' });
  });

  it('does not mind a message that is null, or of strange types', async () => {
    const sessionId = await server.createSession();
    const strange = [
      '{"model":"x","message":null,"done":false}',
      '{"message":{"role":"assistant","content":7,"thinking":[],"tool_calls":{}},"done":false}',
      '{"message":{"content":null},"done":"no"}',
    ];
    server.ollama.reply(script(text('Fine', '.'), ...strange.map((line) => lineAfter(1, line))));
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    expect(body.message.content).toBe('Fine.');
  });

  it('knows no counts where the engine tells none', async () => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('No', ' counts.'), noCounts()));
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    expect(body.message).toMatchObject({ eval_count: null, prompt_eval_count: null });
    expect(body.context_window).toEqual({
      current_window: 8192,
      usage_tokens: 0,
      reason: 'initial_setup',
    });
    expect((await server.messages(sessionId)).at(-1)).toMatchObject({
      eval_count: null,
      prompt_eval_count: null,
    });
    const { usage } = (await server.get(`/turns/${body.turn_id}`)).body;
    expect(usage).toMatchObject({ prompt_tokens: null, output_tokens: null, total_tokens: null });
    // The window is not thrown back by it.
    const next = await server.chat(sessionId, { message: 'Again' });
    expect(next.body.context_window).toMatchObject({ current_window: 8192, reason: 'no_adjustment' });
  });

  it.each([null, 'stop', 'length', 'load', 'new_reason'])('takes any reason to end: %s', async (reason) => {
    const sessionId = await server.createSession();
    server.ollama.reply(script(text('Short'), finalFields({ done_reason: reason })));
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    expect(body.message.content).toBe('Short');
  });

  it('reads nothing after the end: what a server sends then changes no answer', async () => {
    const sessionId = await server.createSession();
    const chatter: ChatScript = {
      steps: [...text('Done').steps, { type: 'line', text: '{"error":"too late"}' }],
    };
    for (const scripted of [chatter, script(chatter, split('joined'))]) {
      server.ollama.reply(scripted);
      const { body } = await server.post(`/chat/${sessionId}`, { message: 'Hello' });
      expect(body.message?.content).toBe('Done');
    }
  });

  it('adds up what every call of a turn used', async () => {
    const sessionId = await server.createSession();
    const counts = (prompt: number, output: number) =>
      finalFields({ prompt_eval_count: prompt, eval_count: output });
    server.ollama.reply(
      script(sequence(toolCalls([{ name: 'get_time', args: {} }]), { steps: text().steps }), counts(100, 5)),
      script(text('Noon.'), counts(120, 3)),
    );
    const { body } = await server.chat(sessionId, { message: 'Time?' });
    expect(body.context_window.usage_tokens).toBe(123);
    expect(body.message).toMatchObject({ prompt_eval_count: 120, eval_count: 3 });
    const { usage } = (await server.get(`/turns/${body.turn_id}`)).body;
    expect(usage).toMatchObject({ prompt_tokens: 220, output_tokens: 8, total_tokens: 228 });
    const asking = (await server.messages(sessionId))[1];
    expect(asking).toMatchObject({ prompt_eval_count: 100, eval_count: 5 });
  });
});
