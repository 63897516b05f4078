// Rounds of tools: what runs, what is told of it on each way of watching, what is stored, and what the model reads.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { succeeded } from '../support/scripted-source.ts';
import { ADD, shown, startToolServer, type ToolServer, toldCall } from '../support/server-with-tools.ts';
import { watchAll } from './watching.ts';

const SEEING = { name: 'seeing:latest', capabilities: ['completion', 'tools', 'vision'] };
const STEP = [['context'], ['status', 'loading_model'], ['status', 'generating']];
const NEXT_STEP = [['context'], ['status', 'evaluating_prompt'], ['status', 'generating']];
const continued = (count: number) => [
  'tool_continuation_start',
  { tool_count: count, message: 'Processing tool results...' },
];
const withoutPhases = (events: unknown[]) =>
  events.filter(([event]: any) => !['status', 'context', 'turn_start'].includes(event));

describe('rounds of tools', () => {
  let server: ToolServer;
  let polls = 0;
  beforeAll(async () => {
    server = await startToolServer(
      [
        ADD,
        { name: 'fails', run: async () => ({ ...succeeded('kaboom'), state: 'failed' }) },
        {
          name: 'lost',
          run: async () => ({ ...succeeded('gone; it may have taken effect'), state: 'unknown' }),
        },
        { name: 'long', run: async () => succeeded(`begin ${'x'.repeat(100_000)} end`) },
        { name: 'same', run: async () => succeeded('always the same') },
        { name: 'counts', run: async () => succeeded(`poll ${(polls += 1)}`) },
        { name: 'polls', repeatable: true, run: async () => succeeded('not yet') },
        { name: 'sees', run: async () => ({ ...succeeded('a picture'), images: ['aGk='] }) },
        {
          name: 'tells',
          run: async (_args, { onProgress }) => {
            for (let step = 1; step <= 50; step += 1) {
              onProgress({ message: `step ${step}`, progress: step, total: 50 });
            }
            return succeeded('done');
          },
        },
      ],
      { ollama: { programs: {}, models: [...defaultModels, SEEING] } },
    );
  });
  afterAll(() => server.close());

  it('tells a call, its result and the answer: streamed, watched again, from rows, and plain', async () => {
    const sessionId = await server.toolSession(['add_numbers']);
    const script = () => {
      server.ollama.reply(
        toolCall('add_numbers', { a: 1, b: 2 }, { id: 'call_a' }),
        toolCall('add_numbers', { a: 3, b: 4 }, { id: 'call_b' }),
        text('Seven.'),
      );
    };
    script();
    const live = await server.told(sessionId, { message: 'Add.' });
    const round = (call: { id: string; args: object }, result: string) => [
      ['status', 'running_tool'],
      ...toldCall({ name: 'add_numbers', ...call }, { result }),
      continued(1),
    ];
    expect(shown(live)).toEqual([
      ['turn_start'],
      ...STEP,
      ...round({ id: 'call_a', args: { a: 1, b: 2 } }, '3'),
      ...NEXT_STEP,
      ...round({ id: 'call_b', args: { a: 3, b: 4 } }, '7'),
      ...NEXT_STEP,
      ['content_delta', 'Seven.'],
      ['message_complete', 'Seven.'],
      ['done', 'completed'],
    ]);
    const turnId = live[0]?.data.turn_id;
    const again = await watchAll(server, turnId);
    expect(again).toEqual(live);

    script();
    const { body } = await server.chat(await server.toolSession(['add_numbers']), { message: 'Add.' });
    expect(body.tool_calls_executed).toEqual([
      { name: 'add_numbers', arguments: { a: 1, b: 2 }, success: true },
      { name: 'add_numbers', arguments: { a: 3, b: 4 }, success: true },
    ]);

    await server.restart();
    const [snapshot, ...closing] = await watchAll(server, turnId);
    expect(snapshot?.data.tool_calls).toEqual(
      ['call_a', 'call_b'].map((id) => {
        const told = live.filter(({ data }) => data.tool_call_id === id).map(({ data }) => data);
        const { execution_id: _run, ...call } = told[0];
        return { ...call, success: true, result: told[1].result };
      }),
    );
    expect(closing).toEqual(live.slice(-2));
  });

  it('stores the results, and gives them to the model with the name and the id of their call', async () => {
    const sessionId = await server.toolSession(['add_numbers']);
    server.ollama.reply(toolCall('add_numbers', { a: 1, b: 2 }, { id: 'call_a' }), text('Three.'));
    await server.chat(sessionId, { message: 'Add.' });
    const result = { role: 'tool', content: '3', tool_name: 'add_numbers' };
    expect(await server.messages(sessionId)).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ function: { name: 'add_numbers', arguments: { a: 1, b: 2 } } }] },
      { ...result, status: 'complete' },
      { role: 'assistant', content: 'Three.' },
    ]);
    server.ollama.reply(text('As I said.'));
    await server.chat(sessionId, { message: 'Sure?' });
    for (const { body } of server.ollama.requests.filter(({ path }) => path === '/api/chat').slice(-2)) {
      expect((body as any).messages[2]).toEqual({ ...result, tool_call_id: 'call_a' });
    }
  });

  it.each([
    ['fails', 'kaboom', true],
    ['lost', 'gone; it may have taken effect', true],
  ])('a tool that %s is told as failed, and the model reads why', async (name, reason, ran) => {
    const sessionId = await server.toolSession([name]);
    server.ollama.reply(toolCall(name, {}, { id: 'call_a' }), text('Oh.'));
    const events = withoutPhases(shown(await server.told(sessionId, { message: 'Go.' })));
    expect(events.slice(0, 2)).toEqual(toldCall({ name, args: {}, id: 'call_a' }, { error: reason, ran }));
    expect((await server.messages(sessionId))[2]).toMatchObject({ content: `Error: ${reason}` });
  });

  it('calls that a small model wrote badly run as they were meant, and are told so everywhere', async () => {
    for (const model of ['string-args', 'wrong-name']) {
      const sessionId = await server.toolSession(['add_numbers'], { model });
      const events = await server.told(sessionId, { message: 'Add.' });
      const call = events.find(({ event }) => event === 'tool_call')?.data;
      expect(call).toMatchObject({ tool_name: 'add_numbers', arguments: { a: 1, b: 1 } });
      expect(events.at(-2)?.data.message.content).toBe('The tool answered: 2');
      const [, asking] = await server.messages(sessionId);
      const written = asking.tool_calls[0].function;
      // The model reads what it wrote: its prompt stays as it was.
      expect(written).toEqual(
        model === 'wrong-name'
          ? { name: 'ADD-NUMBERS', arguments: { a: 1, b: 1 } }
          : { name: 'add_numbers', arguments: { a: '1', b: '1' } },
      );
      const turnId = events[0]?.data.turn_id;
      await server.restart();
      const [snapshot] = await watchAll(server, turnId);
      const { execution_id: _run, ...told } = call;
      expect(snapshot?.data.tool_calls).toEqual([{ ...told, success: true, result: '2' }]);
    }
  });

  it('what does not fit, is not offered or cannot be read is answered, and nothing runs', async () => {
    const sessionId = await server.toolSession(['add_numbers']);
    const before = server.source.runs.length;
    server.ollama.reply(
      toolCalls([
        { name: 'add_numbers', args: { a: 'one' }, id: 'a' },
        { name: 'fails', args: {}, id: 'b' },
        { name: 'add_numbers', args: '{bad', id: 'c' },
      ]),
      text('I see.'),
    );
    const events = withoutPhases(shown(await server.told(sessionId, { message: 'Go.' })));
    expect(events).toEqual([
      ...toldCall(
        { name: 'add_numbers', args: { a: 'one' }, id: 'a' },
        { error: expect.stringContaining('/b is missing'), ran: false },
      ),
      ...toldCall(
        { name: 'fails', args: {}, id: 'b', index: 1 },
        { error: expect.stringContaining("'fails' is not available"), ran: false },
      ),
      ...toldCall(
        { name: 'add_numbers', args: {}, id: 'c', index: 2 },
        { error: expect.stringContaining('not valid JSON'), ran: false },
      ),
      continued(3),
      ['content_delta', 'I see.'],
      ['message_complete', 'I see.'],
      ['done', 'completed'],
    ]);
    expect(server.source.runs).toHaveLength(before);
  });

  it('settings of a request are those of its turn, and of no other', async () => {
    const sessionId = await server.toolSession([], {});
    server.ollama.reply(toolCall('add_numbers', { a: 1, b: 2 }), text('Three.'), text('No tools.'));
    const own = { tools: ['add_numbers'], execution_policy: 'never_confirm' };
    const { body } = await server.chat(sessionId, { message: 'Add.', tool_settings: own });
    expect(body.tool_calls_executed).toMatchObject([{ success: true }]);
    await server.chat(sessionId, { message: 'Again.' });
    expect(server.ollama.requests.at(-1)?.body).not.toHaveProperty('tools');
  });

  it('the same call with the same result is not run a third time; another result, or a tool that polls, is', async () => {
    const sessionId = await server.toolSession(['same'], { model: 'same-again' });
    const before = server.source.runs.length;
    const { body } = await server.chat(sessionId, { message: 'Go.' });
    expect(server.source.runs.length - before).toBe(2);
    expect(body.tool_calls_executed.map(({ success }: any) => success)).toEqual([true, true, false]);
    const refused = (await server.messages(sessionId)).at(-2);
    expect(refused.content).toMatch(/^Error: .*not run again.*always the same$/s);

    for (const name of ['counts', 'polls']) {
      const other = await server.toolSession([name]);
      server.ollama.reply(...Array.from({ length: 5 }, () => toolCall(name, {})), text('Done.'));
      const { body: answer } = await server.chat(other, { message: 'Go.' });
      expect(answer.tool_calls_executed.map(({ success }: any) => success)).toEqual(Array(5).fill(true));
    }
  });

  it('the guard counts inside one message, too', async () => {
    const sessionId = await server.toolSession(['same']);
    server.ollama.reply(
      toolCalls(Array.from({ length: 4 }, () => ({ name: 'same', args: {} }))),
      text('Ok.'),
    );
    const { body } = await server.chat(sessionId, { message: 'Go.' });
    expect(body.tool_calls_executed.map(({ success }: any) => success)).toEqual([true, true, false, false]);
  });

  it('of more than 128 calls only those beyond fail', async () => {
    const sessionId = await server.toolSession(['polls'], { model: 'many-calls' });
    const { body } = await server.chat(sessionId, { message: 'Go.' });
    const outcomes = body.tool_calls_executed.map(({ success }: any) => success);
    expect(outcomes).toEqual([...Array(128).fill(true), false, false]);
    expect((await server.messages(sessionId)).at(-2).content).toMatch(/^Error: .*128 tools/);
  });

  it('a long result reaches the model with begin and end, and says what is missing', async () => {
    const sessionId = await server.toolSession(['long']);
    server.ollama.reply(toolCall('long', {}), text('Long.'));
    const events = await server.told(sessionId, { message: 'Go.' });
    const result = events.find(({ event }) => event === 'tool_result')?.data;
    const { content } = (await server.messages(sessionId))[2];
    expect(result.result).toBe(content);
    expect(content.length).toBeLessThanOrEqual(16_000);
    expect(content.length).toBeGreaterThan(15_900);
    const [, head, left, id, tail] =
      /^(begin x+)\n\[… (\d+) characters .*\((\w+)\) …\]\n(x+ end)$/.exec(content) ?? [];
    expect(head?.length).toBeGreaterThan(2 * (tail?.length ?? 0));
    expect((head?.length ?? 0) + Number(left) + (tail?.length ?? 0)).toBe('begin  end'.length + 100_000);
    expect(id).toBe(result.execution_id);
  });

  it('a small window gets less of it', async () => {
    const sessionId = await server.toolSession(['long'], {
      context_window: { manual_override: true, current_window: 2048 },
    });
    server.ollama.reply(toolCall('long', {}), text('Long.'));
    await server.chat(sessionId, { message: 'Go.' });
    expect((await server.messages(sessionId))[2].content.length).toBeLessThan(2560);
  });

  it('images of a result go to a model that sees', async () => {
    const sessionId = await server.toolSession(['sees'], { model: 'seeing' });
    server.ollama.reply(toolCall('sees', {}), text('Nice.'));
    await server.chat(sessionId, { message: 'Look.' });
    const sent = server.ollama.requests.at(-1)?.body as any;
    expect(sent.messages.at(-1)).toMatchObject({ role: 'tool', content: 'a picture', images: ['aGk='] });
  });

  it('progress is told between a call and its result, ten times a second at most', async () => {
    const sessionId = await server.toolSession(['tells']);
    server.ollama.reply(toolCall('tells', {}, { id: 'a' }), text('Done.'));
    const events = shown(await server.told(sessionId, { message: 'Go.' })) as [string, any][];
    const names = events.map(([event]) => event);
    const first = names.indexOf('tool_progress');
    expect(first).toBe(names.indexOf('tool_call') + 1);
    expect(events[first]?.[1]).toEqual({
      tool_name: 'tells',
      tool_call_id: 'a',
      call_index: 0,
      message: 'step 1',
      progress: 1,
      total: 50,
    });
    expect(names.filter((name) => name === 'tool_progress').length).toBeLessThan(20);
  });
});
