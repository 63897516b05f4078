// What stands on the screen of a terminal, in whole: answers of every kind at several widths, agents, a server that is
// killed, a window that changes. New screens: vitest -u, and a look at them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { type AgentServer, startAgentServer } from '../support/agent-server.ts';
import { createScreen } from '../support/screen.ts';
import { spawnServer } from '../support/spawned-server.ts';
import { HAS_TERMINAL, openTerminal, type Terminal } from '../support/terminal.ts';

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;
const SCREENS = '../fixtures/screens';

let server: AgentServer;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-screens-'));
  server = await startAgentServer();
  server.ollama.setDefault(() => text('Done.'));
});
afterAll(async () => {
  await server.close();
  await rm(dataDir, { recursive: true });
});

async function open(sessionId: string, columns: number, url = server.url): Promise<Terminal> {
  const env = { MOCHI_PORT: new URL(url).port, MOCHI_DATA_DIR: dataDir };
  const terminal = openTerminal(['chat', '--session', sessionId], { env, columns });
  await terminal.shows(/> $/);
  return terminal;
}

async function leave(terminal: Terminal): Promise<void> {
  terminal.press('\u0004');
  expect(await terminal.exited).toBe(0);
}

/** From the first message on: before it there are ids and addresses. */
async function screenOf(terminal: Terminal, columns: number): Promise<string> {
  const screen = createScreen(columns);
  await screen.write(terminal.written);
  const rows = screen.rows();
  return `${rows.slice(rows.findIndex((row) => row.startsWith('> '))).join('\n')}\n`;
}

describe.skipIf(!HAS_TERMINAL)('the screen', { timeout: SLOW_MACHINE_MS }, () => {
  it.each([40, 80, 200])('shows an answer of every kind at %i columns', async (columns) => {
    const answer = await readFile(new URL(`${SCREENS}/answer.md`, import.meta.url), 'utf8');
    // In pieces as an engine sends them, which end anywhere.
    server.ollama.reply(text(...(answer.match(/[^]{1,7}/gu) ?? [])));
    const terminal = await open(await server.createSession(), columns);
    terminal.type('Show me everything');
    await terminal.shows(/Evil[^]*\n> $/);
    await leave(terminal);
    await expect(await screenOf(terminal, columns)).toMatchFileSnapshot(`${SCREENS}/answer-${columns}.txt`);
  });

  it('shows the steps of an agent under its call', async () => {
    const sessionId = await server.agentSession(['coder']);
    server.ollama.reply(toolCall('agent', { agent_name: 'coder', instruction: 'Count to three.' }));
    server.ollama.reply(text('I count.\nThen I tell.'));
    server.ollama.reply(toolCall('count', { text: 'three' }));
    server.ollama.reply(text('It is three.'));
    server.ollama.reply(text('The agent says: three.'));
    const terminal = await open(sessionId, 60);
    terminal.type('Let the coder count');
    await terminal.shows(/says: three\.\n> $/);
    await leave(terminal);
    await expect(await screenOf(terminal, 60)).toMatchFileSnapshot(`${SCREENS}/agent.txt`);
  });

  it('says that messages were left out', async () => {
    const sessionId = await server.createSession();
    for (const word of ['one ', 'two ', 'three '])
      await server.chat(sessionId, { message: word.repeat(300) });
    const terminal = await open(sessionId, 80);
    terminal.type('/set num_ctx 1024');
    await terminal.shows(/num_ctx is 1024[^]*\n> $/);
    terminal.type('And now?');
    await terminal.shows(/\n\(\d+ older messages were left out: \/context\)\nDone\.\n> $/);
    terminal.type('/context');
    await terminal.shows(/messages +\d+ sent, \d+ left out\n[^]*window +1,024 tokens[^]*> $/);
    await leave(terminal);
  });

  it('goes on in the middle of an answer when the window changes, and loses nothing', async () => {
    const before = 'The quick brown fox jumps over the lazy dog, and then it goes';
    server.ollama.reply(script(text(`First line.\n\n${before}`), hangAfter(1)));
    const terminal = await open(await server.createSession(), 80);
    terminal.type('Tell me');
    await terminal.shows(/it goes$/);
    terminal.resize(30, 24);
    terminal.press('\u0003');
    await terminal.shows(/\(stopped;[^]*> $/);
    terminal.type('Hello');
    await terminal.shows(/Done\.\n> $/);
    await leave(terminal);
    expect(terminal.screen).toMatch(/First line\.\n\nThe quick/);
  });
});

describe.skipIf(!HAS_TERMINAL)('a server that is killed', { timeout: SLOW_MACHINE_MS }, () => {
  let ollama: FakeOllama;
  beforeAll(async () => {
    ollama = await startFakeOllama();
  });
  afterAll(() => ollama.close());

  it('is waited for; what came of the answer stays, and the conversation goes on', async () => {
    const options = { dataDir: join(dataDir, 'server'), ollamaHost: ollama.url };
    const first = await spawnServer(options);
    const { port } = new URL(first.url);
    ollama.reply(script(text('Half an ', 'answer'), hangAfter(2)));
    const terminal = await open(await first.createSession(), 80, first.url);
    terminal.type('Tell me');
    await terminal.shows(/Half an answer$/);
    await first.kill('SIGKILL');
    // Gone again from the screen later.
    await expect.poll(() => terminal.written, { timeout: 30_000 }).toContain('the connection is lost');
    const second = await spawnServer({ ...options, flags: ['--port', port] });
    await terminal.shows(/The server was stopped\. What is written is kept[^]*\n> $/);
    expect(terminal.screen).toContain('\nHalf an answer\n');
    ollama.reply(text('Back again.'));
    terminal.type('/regenerate');
    await terminal.shows(/Back again\.\n> $/);
    await leave(terminal);
    await second.kill('SIGTERM');
  });
});
