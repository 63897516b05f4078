// Tools of folders in chats: every tool of the original as it is, on both routes, and tools that misbehave.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { HAS_PYTHON } from '../support/tool-groups.ts';

const ORIGINAL = fileURLToPath(new URL('../fixtures/original-tools', import.meta.url));

/** In this order: each with what the model reads. */
const CALLS: readonly (readonly [tool: string, args: object, result: string | RegExp])[] = [
  ['write_file', { path: 'a.txt', lines: ['one', 'two'] }, 'Wrote 2 lines'],
  ['write_file', { path: 'a.txt', lines: '["three"]', append: 'yes' }, 'Wrote 1 lines'],
  ['read_file', { path: 'a.txt', start_line: '2' }, 'two\nthree'],
  ['read_file', { path: 'none.txt' }, /^Error: FileNotFoundError: .*none\.txt/],
  ['list_directory', { path: 'tools' }, 'filesystem_tools, math_tools, utilities, zoo'],
  ['terminal', { command: ['echo', 'hello'] }, 'exit_code: 0, stdout: hello\n'],
  ['delete_path', { path: 'a.txt' }, 'Tool executed successfully (no return value)'],
  ['add_numbers', { a: 2, b: 40 }, '42'],
  ['divide', { a: 1, b: 4 }, '0.25'],
  ['divide', { a: 1, b: 0 }, /^Error: ZeroDivisionError/],
  ['statistics_of', { values: [1, 2, 6] }, 'mean: 3.0, median: 2.0, given: [1.0, 2.0, 6.0]'],
  ['current_time', { zone: 'utc' }, /^\d{4}-\d\d-\d\dT.*\+00:00$/],
  ['reverse_text', { text: 'abc', upper: null }, 'cba'],
  ['wait_and_say', { text: 'said' }, 'said'],
];

describe('tools of folders', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-chat-tools-'));
  let server: TestServer;
  beforeAll(async () => {
    cpSync(ORIGINAL, join(dataDir, 'tools'), { recursive: true });
    mkdirSync(join(dataDir, 'tools', 'zoo'));
    writeFileSync(
      join(dataDir, 'tools', 'zoo', 'index.mts'),
      `import { defineTool } from 'mochi-server/tools';
      import { writeFileSync } from 'node:fs';
      export const feed = defineTool<{ name: string }>({
        description: 'Feeds.',
        inputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
        execute: ({ name }, { sessionId, turnId, toolCallId, attempt }) => ({ name, ids: [sessionId, turnId, toolCallId].map((id) => typeof id), attempt }),
      });
      export const leave = defineTool({ description: 'Leaves.', execute: () => process.exit(9) });
      export const rogue = defineTool({ description: 'R.', execute: () => writeFileSync('rogue.txt', '') });`,
    );
    server = await startTestServer({ dataDir, ollama: { programs: {} } });
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const session = (tools: readonly string[]) =>
    server.createSession({ tool_settings: { tools, execution_policy: 'never_confirm' } });
  /** What the model is given to read after its call. */
  const lastRead = () => (server.ollama.requestsTo('/api/chat').at(-1)?.body as any)?.messages.at(-1);

  it.skipIf(!HAS_PYTHON)(
    'run the original: each of its tools, streamed and plain',
    async () => {
      const sessionId = await session([...new Set(CALLS.map(([tool]) => tool))]);
      for (const route of [`/chat/${sessionId}/stream`, `/chat/${sessionId}`]) {
        for (const [tool, args, result] of CALLS) {
          server.ollama.reply(toolCall(tool, args), text('Done.'));
          const expected = typeof result === 'string' ? result : expect.stringMatching(result);
          const success = !(result instanceof RegExp && result.source.startsWith('^Error'));
          if (route.endsWith('stream')) {
            const events = await (await server.stream(route, { message: `Use ${tool}.` })).all();
            const told = events.find(({ event }) => event === 'tool_result');
            expect(told?.data).toMatchObject({ tool_name: tool, success });
          } else {
            const { status, body } = await server.post(route, { message: `Use ${tool}.` });
            expect(status).toBe(200);
            expect(body.tool_calls_executed).toMatchObject([{ name: tool, success }]);
          }
          expect(lastRead()).toMatchObject({ role: 'tool', tool_name: tool, content: expected });
        }
      }
    },
    60_000,
  );

  it('written in TypeScript know where they stand; one that ends its process ends no more than its call', async () => {
    const sessionId = await session(['feed', 'leave']);
    server.ollama.reply(toolCall('feed', { name: 'cat' }), toolCall('leave', {}), text('Done.'));
    const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'Feed the cat and leave.' });
    expect(status).toBe(200);
    expect(body.tool_calls_executed.map(({ success }: any) => success)).toEqual([true, false]);
    expect(lastRead().content).toMatch(/exit code 9\); it may have taken effect/);
    const { messages } = (await server.get(`/sessions/${sessionId}`)).body;
    expect(messages.find(({ role }: any) => role === 'tool').content).toBe(
      '{"name":"cat","ids":["string","string","string"],"attempt":1}',
    );
    expect((await server.get('/livez')).status).toBe(200);
  });

  it('that the session does not name do not run', async () => {
    const sessionId = await session(['feed']);
    server.ollama.reply(toolCall('rogue', {}), text('Done.'));
    const { body } = await server.post(`/chat/${sessionId}`, { message: 'Go.' });
    expect(body.tool_calls_executed).toMatchObject([{ name: 'rogue', success: false }]);
    expect(existsSync(join(dataDir, 'rogue.txt'))).toBe(false);
  });
});
