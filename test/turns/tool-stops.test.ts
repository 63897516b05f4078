// A turn that is stopped while a tool runs: every call is answered with what is known of it, and nothing hangs.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { text, toolCall, toolCalls } from '../fake-ollama/chat-script.ts';
import { succeeded } from '../support/scripted-source.ts';
import { ADD, shown, startToolServer, type ToolServer, toldCall } from '../support/server-with-tools.ts';
import { isNamed, readUntil, watchAll } from './watching.ts';

describe('a stop while a tool runs', () => {
  let server: ToolServer;
  let begun: PromiseWithResolvers<void>;
  let finish: PromiseWithResolvers<void>;
  beforeEach(async () => {
    begun = Promise.withResolvers();
    finish = Promise.withResolvers();
    server = await startToolServer([
      ADD,
      {
        name: 'waits',
        run: async (_args, { signal }) => {
          begun.resolve();
          const aborted = new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
          const isStopped = await Promise.race([aborted.then(() => true), finish.promise.then(() => false)]);
          return isStopped
            ? { ...succeeded('waits was stopped; it may have taken effect'), state: 'unknown' }
            : succeeded('waited');
        },
      },
      {
        name: 'deaf',
        run: async () => {
          begun.resolve();
          await finish.promise;
          return succeeded('too late');
        },
      },
    ]);
  });
  afterEach(async () => {
    finish.resolve();
    await server.close();
  });

  const askForThree = () =>
    server.ollama.reply(
      toolCalls([
        { name: 'waits', args: {}, id: 'a' },
        { name: 'add_numbers', args: { a: 1, b: 2 }, id: 'b' },
        { name: 'nobody', args: {}, id: 'c' },
      ]),
      text('Done.'),
    );

  const closed = (reason: string, ...end: readonly string[]) => [
    ...toldCall(
      { name: 'waits', args: {}, id: 'a' },
      {
        error: 'waits was stopped; it may have taken effect',
        ran: true,
      },
    ),
    ...toldCall(
      { name: 'add_numbers', args: { a: 1, b: 2 }, id: 'b', index: 1 },
      { error: `Tool 'add_numbers' was not run: ${reason}`, ran: false },
    ),
    ...toldCall(
      { name: 'nobody', args: {}, id: 'c', index: 2 },
      { error: `Tool 'nobody' was not run: ${reason}`, ran: false },
    ),
    ['error', end[0]],
    ['done', end[1]],
  ];
  const ofTools = (events: unknown[]) => events.filter(([event]: any) => /^(tool_|error|done)/.test(event));

  it('a cancel: what ran has its outcome, what did not says so, live and from the rows', async () => {
    const sessionId = await server.toolSession(['waits', 'add_numbers']);
    askForThree();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Go.' });
    const seen = await readUntil(stream, isNamed('tool_call'));
    await begun.promise;
    await server.post(`/chat/${sessionId}/cancel`);
    const events = [...seen, ...(await stream.all())];
    expect(ofTools(shown(events))).toEqual(closed('the turn was cancelled', 'turn_cancelled', 'cancelled'));
    const stored = (await server.messages(sessionId)).map(({ content }) => content);
    expect(stored).toEqual([
      'Go.',
      '',
      'Error: waits was stopped; it may have taken effect',
      "Tool 'add_numbers' was not run: the turn was cancelled",
      "Tool 'nobody' was not run: the turn was cancelled",
    ]);
    expect(server.source.runs.map(({ tool }) => tool)).toEqual(['waits']);
    const turnId = events[0]?.data.turn_id;
    await server.restart();
    const [snapshot, ...closing] = await watchAll(server, turnId);
    expect(closing).toEqual(events.slice(-2));
    const results = events.filter(({ event }) => event === 'tool_result').map(({ data }) => data);
    expect(snapshot?.data.tool_calls).toMatchObject(
      results.map(({ tool_name, tool_call_id, call_index, success, error }) => ({
        tool_name,
        tool_call_id,
        call_index,
        success,
        result: error,
      })),
    );
    const { body } = await server.chat(sessionId, { message: 'Go on.' });
    expect(body.message.content).toBe('Done.');
  });

  it('the end of the server', async () => {
    const sessionId = await server.toolSession(['waits', 'add_numbers']);
    askForThree();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Go.' });
    const seen = await readUntil(stream, isNamed('tool_call'));
    await begun.promise;
    const restarted = server.restart();
    const events = [...seen, ...(await stream.all())];
    expect(ofTools(shown(events))).toEqual(
      closed('the server was stopping', 'turn_interrupted', 'interrupted'),
    );
    await restarted;
    expect(await server.messages(sessionId)).toHaveLength(5);
  });

  it('within the grace time a tool finishes, and so does its turn', async () => {
    await server.restart({ shutdownGraceSeconds: 10 });
    const sessionId = await server.toolSession(['waits', 'add_numbers']);
    askForThree();
    const answer = server.chat(sessionId, { message: 'Go.' });
    await begun.promise;
    const restarted = server.restart();
    finish.resolve();
    expect((await answer).body.tool_calls_executed.map(({ success }: any) => success)).toEqual([
      true,
      true,
      false,
    ]);
    await restarted;
  });

  it('a tool that does not heed the stop holds its turn for seconds, not for ever', async () => {
    const sessionId = await server.toolSession(['deaf']);
    server.ollama.reply(toolCall('deaf', {}));
    const answer = server.post(`/chat/${sessionId}`, { message: 'Go.' });
    await begun.promise;
    const { body } = await server.post(`/chat/${sessionId}/cancel?wait=true`);
    expect(body.state).toBe('cancelled');
    expect((await answer).status).not.toBe(200);
    expect((await server.messages(sessionId)).at(-1)?.content).toBe(
      "Error: Tool 'deaf' was stopped; it may have taken effect",
    );
  });
});
