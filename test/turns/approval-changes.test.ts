// What has changed between a decision and the run: the call is looked at once more right before it begins.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { ScriptedSource, type ScriptedTool, succeeded } from '../support/scripted-source.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const first: ScriptedTool = { name: 'first', run: async () => succeeded('went first') };
const tools: ScriptedTool[] = [];
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ toolSources: [new ScriptedSource('test', { tools })] });
});
afterAll(() => server.close());

/** Both calls are asked about; the second is approved, something changes, then the first is. */
async function changeBetween(change: () => Promise<void>): Promise<string> {
  tools.splice(0, tools.length, first, { name: 'second', run: async () => succeeded('went second') });
  await writePolicy({});
  await server.post('/tools/reload');
  const sessionId = await server.createSession({ tool_settings: { tools: ['first', 'second'] } });
  server.ollama.reply(
    toolCalls(['first', 'second'].map((name) => ({ name, args: { path: '/tmp/a' } }))),
    text('Done.'),
  );
  const answer = server.chat(sessionId, { message: 'Go.', on_approval: 'wait' });
  const [one, two] = await askedOf(server, sessionId, 2);
  await decide(server, two.confirmation_id, { decision: 'approve' });
  await change();
  await server.post('/tools/reload');
  await decide(server, one.confirmation_id, { decision: 'approve' });
  const { body } = await answer;
  expect(body.tool_calls_executed.map(({ success }: any) => success)).toEqual([true, false]);
  return (await server.messages(sessionId)).at(-2).content;
}

const writePolicy = (policy: object) =>
  writeFile(join(server.dataDir, 'tool-policy.json'), JSON.stringify(policy));

it('a tool that is another one does not run on the approval of what it was', async () => {
  const content = await changeBetween(async () => {
    tools[1] = { name: 'second', description: 'Another one.', run: async () => succeeded('went elsewhere') };
  });
  expect(content).toBe('Error: the tool changed after it was approved');
});

it('a tool that is gone is told as gone', async () => {
  expect(await changeBetween(async () => void tools.pop())).toBe("Error: Tool 'second' is no longer there.");
});

it("the operator's deny comes before any approval", async () => {
  const content = await changeBetween(() => writePolicy({ deny: ['second(path=/tmp/*)'] }));
  expect(content).toMatch(/^Error: Tool 'second' may not be used like this/);
});

it('what was remembered in the session runs unasked from the next round on', async () => {
  tools.splice(0, tools.length, first);
  await writePolicy({});
  await server.post('/tools/reload');
  const sessionId = await server.createSession({ tool_settings: { tools: ['first'] } });
  const call = () => toolCalls([{ name: 'first', args: {} }]);
  server.ollama.reply(call(), call(), text('Done.'));
  const answer = server.chat(sessionId, { message: 'Go.', on_approval: 'wait' });
  const [asked] = await askedOf(server, sessionId);
  await decide(server, asked.confirmation_id, { decision: 'approve', scope: 'session' });
  expect((await answer).body.tool_calls_executed).toHaveLength(2);
});
