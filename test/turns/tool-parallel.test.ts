// What runs side by side: consecutive calls that only read, so many at once, told in the order of the calls.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { succeeded } from '../support/scripted-source.ts';
import { shown, startToolServer, type ToolServer } from '../support/server-with-tools.ts';

let server: ToolServer;
/** Runs under way, by what they were given. */
const running = new Map<string, () => void>();
let most = 0;

async function run(args: Readonly<Record<string, unknown>>) {
  const name = String(args['n']);
  const { promise, resolve } = Promise.withResolvers<void>();
  running.set(name, resolve);
  most = Math.max(most, running.size);
  await promise;
  running.delete(name);
  return succeeded(`result ${name}`);
}

beforeAll(async () => {
  server = await startToolServer(
    [
      { name: 'read', readOnly: true, run },
      { name: 'write', run },
    ],
    { config: { maxParallelTools: 3 } },
  );
});
afterAll(() => server.close());

const names = () => [...running.keys()].toSorted().join('');
const finish = (name: string) => running.get(name)?.();

it('reads beside each other, whatever writes alone, all in order', async () => {
  const sessionId = await server.toolSession(['read', 'write']);
  const calls = ['read a', 'read b', 'read c', 'read d', 'write e', 'write f', 'read g'].map((call) => {
    const [name = '', n] = call.split(' ');
    return { name, args: { n }, id: n ?? '' };
  });
  server.ollama.reply(toolCalls(calls), text('Done.'));
  const told = server.told(sessionId, { message: 'Go.' });
  await expect.poll(names).toBe('abc');
  // The last of them first: it is told in its place all the same.
  finish('c');
  await expect.poll(names).toBe('abd');
  for (const name of ['d', 'b', 'a']) finish(name);
  for (const name of ['e', 'f', 'g']) {
    await expect.poll(names).toBe(name);
    finish(name);
  }
  const events = (await told).filter(({ event }) => /^tool_(call|result)/.test(event));
  expect(shown(events).map(([event, data]: any) => [event, data.tool_call_id, data.result])).toEqual(
    Array.from('abcdefg').flatMap((id) => [
      ['tool_call', id, undefined],
      ['tool_result', id, `result ${id}`],
    ]),
  );
  const stored = await server.messages(sessionId);
  expect(stored.slice(2, -1).map(({ content }) => content)).toEqual(
    Array.from('abcdefg').map((id) => `result ${id}`),
  );
  expect(most).toBe(3);
});

it('a cancel in the middle: those that ran have their results, the others are not begun', async () => {
  const sessionId = await server.toolSession(['read']);
  const calls = Array.from('abcde').map((n) => ({ name: 'read', args: { n }, id: n }));
  server.ollama.reply(toolCalls(calls));
  const told = server.told(sessionId, { message: 'Go.' });
  await expect.poll(names).toBe('abc');
  await server.post(`/chat/${sessionId}/cancel`);
  for (const name of ['a', 'b', 'c']) finish(name);
  const results = (await told).filter(({ event }) => event === 'tool_result').map(({ data }) => data);
  const notRun = {
    success: false,
    execution_id: null,
    error: "Tool 'read' was not run: the turn was cancelled",
  };
  expect(results).toMatchObject([
    { result: 'result a', success: true },
    { result: 'result b', success: true },
    { result: 'result c', success: true },
    notRun,
    notRun,
  ]);
  // They begin at once: in which order is the database's to say.
  const ran = server.source.runs.slice(-3).map(({ args }: any) => args.n);
  expect(new Set(ran)).toEqual(new Set(['a', 'b', 'c']));
  expect(ran).toHaveLength(3);
});
