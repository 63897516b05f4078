// docs/agents.md from nothing to an answer: its files written to where the page says, its calls made as it makes them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metadataKeys } from '../../src/agents/run-settings.ts';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { writeFiles } from '../support/agent-world.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const page = readFileSync(new URL('../../docs/agents.md', import.meta.url), 'utf8');
/** Each block that has the name of its file before it. */
const files = Object.fromEntries(
  Array.from(page.matchAll(/^`(agents\/[^`]+)`.*:\n\n```\w+\n([^]*?)^```/gm), ([, path = '', block = '']) => [
    path,
    block,
  ]),
);

/** A call of the page, by what its address ends in. */
function callOf(end: string): { readonly path: string; readonly body: Record<string, unknown> } {
  for (const [, path = '', json = '{}'] of page.matchAll(
    /^curl (?:-\S+ (?:POST )?)*localhost:8000(\S+)(?:.*-d '(.*)')?$/gm,
  )) {
    if (path.endsWith(end)) return { path, body: JSON.parse(json) };
  }
  throw new Error(`The page calls nothing that ends in ${end}`);
}

describe('docs/agents.md', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-agents-page-'));
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ dataDir });
    writeFiles(dataDir, files);
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const MAY = '[{"month":"May","what":"rent","euros":-800},{"month":"May","what":"tea sold","euros":1250}]';
  const work = [
    text('1. List the entries of May.'),
    toolCall('list_entries', { month: 'May' }),
    text('In May 1250 euros came in.'),
  ];

  it('shows an agent that can work', async () => {
    expect(Object.keys(files)).toEqual(['agents/accountant/SKILL.md', 'agents/accountant/index.mts']);
    expect((await server.post(callOf('/reload').path)).body).toMatchObject({ agents_count: 1, problems: [] });
    expect((await server.get(callOf('/agent/accountant').path)).body).toMatchObject({
      valid: true,
      tools: ['list_entries'],
      warnings: [],
      system_prompt: expect.stringMatching(/^You are the accountant/),
    });
  });

  it('asks the agent itself', async () => {
    server.ollama.reply(...work);
    const { path, body } = callOf('/chat/stream');
    const events = await (await server.stream(path, body)).all();
    expect(events.find(({ event }) => event === 'tool_result')?.data.result).toBe(MAY);
    expect(events.at(-2)?.data.message.content).toBe('In May 1250 euros came in.');
  });

  it('lets the model of a session ask it', async () => {
    const opened = callOf('/sessions');
    const sessionId = await server.createSession(opened.body);
    server.ollama.reply(
      toolCall('agent', { agent: 'accountant', instruction: 'What came in in May?' }),
      ...work,
      text('Yes: 450 euros.'),
    );
    const { path, body } = callOf('/SESSION/stream');
    const events = await (await server.stream(path.replace('SESSION', sessionId), body)).all();
    const told = events.map(({ event }) => event);
    const [, list = ''] = /The stream tells what the agent does: (.*); then/.exec(page) ?? [];
    for (const [, name] of list.matchAll(/`(\w+)`/g)) expect(told).toContain(name);
    expect(events.find(({ event }) => event === 'agent_tool_result')?.data.result).toBe(MAY);
    expect(events.at(-2)?.data.message.content).toBe('Yes: 450 euros.');
  });

  it('names every key of metadata that is ours', () => {
    const named = Array.from(page.matchAll(/^\| `(mochi-[a-z-]+)` \|/gm), ([, key]) => key);
    expect(new Set(named)).toEqual(new Set(metadataKeys()));
  });
});
