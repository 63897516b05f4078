// kill -9 while an agent works for a turn: its model reads what was done, and no way that only a client has.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { text, tokens, toolCall } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { CODER, UNASKED } from '../support/agent-server.ts';
import { writeFiles } from '../support/agent-world.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { isNamed, readUntil } from '../turns/watching.ts';

// Processes start slowly on a machine that does much else.
it('the call is answered with its cause, the plan, and how to go on', { timeout: 90_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-agent-kill-'));
  writeFiles(dataDir, CODER);
  const ollama = await startFakeOllama();
  ollama.reply(
    toolCall('agent', { agent: 'coder', instruction: 'Count it.' }, { id: 'call_agent' }),
    text('1. Count.'),
    script(tokens(1), hangAfter(1)),
  );
  const start = () => spawnServer({ dataDir, ollamaHost: ollama.url });
  let server = await start();
  const sessionId = await server.createSession({
    agent_settings: { enabled_agents: ['coder'] },
    tool_settings: UNASKED,
  });
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Have it counted.' });
  const seen = await readUntil(stream, isNamed('agent_execution'));
  const { session_id: chat, turn_id: run } = seen.find(isNamed('agent_start'))?.data ?? {};
  await server.kill('SIGKILL');

  server = await start();
  const told = (await server.messages(sessionId)).find(({ role }) => role === 'tool')?.content;
  expect(told).toContain(
    `Error: The agent coder was interrupted: The server stopped while the agent worked.\nSession ID: ${chat}\n1. Count.\n`,
  );
  expect(told).toMatch(new RegExp(`\nContinue with session_id ${chat}\\.$`));
  expect(told).not.toContain('message: null');
  expect((await server.get(`/turns/${run}`)).body).toMatchObject({
    state: 'interrupted',
    error: {
      code: 'turn_interrupted',
      message: 'The server stopped while the agent worked. Run the agent with this session_id to go on.',
    },
  });
  const parent = seen[0]?.data.turn_id;
  expect((await server.get(`/turns/${parent}`)).body.error.message).toContain('Send message: null');
  await server.kill('SIGTERM');
  await ollama.close();
  rmSync(dataDir, { recursive: true, force: true });
});
