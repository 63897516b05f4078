// A conversation at the terminal, as a person sits at it: what is pasted, typed over lines, recalled, and taken up again.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { openTerminal, type Terminal } from '../support/terminal.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;

let server: TestServer;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-typed-'));
  server = await startTestServer();
  server.ollama.setDefault(({ messages = [] }) => text(`heard ${JSON.stringify(messages.at(-1)?.content)}`));
});
afterAll(async () => {
  await server.close();
  await rm(dataDir, { recursive: true });
});

async function open(...args: string[]): Promise<Terminal> {
  const env = { MOCHI_PORT: new URL(server.url).port, MOCHI_DATA_DIR: dataDir };
  const terminal = openTerminal(['chat', ...args], { env, columns: 120 });
  await terminal.shows(/\/help shows the commands[^]*> $/);
  return terminal;
}

async function leave(terminal: Terminal): Promise<void> {
  terminal.type('/quit');
  expect(await terminal.exited).toBe(0);
}

const UP = '\u001b[A';
const paste = (pasted: string) => `\u001b[200~${pasted}\u001b[201~`;

describe('mochi-server chat at a terminal', { timeout: SLOW_MACHINE_MS }, () => {
  it('takes messages of several lines, and has them again after a restart of the command', async () => {
    const sessionId = await server.createSession();
    const first = await open('--session', sessionId);
    first.press(`See: ${paste('one\rtwo\r\rthree')}`);
    first.press(' and more\r');
    await first.shows(/heard "See: one\\ntwo\\n\\nthree and more"\n> $/);
    first.type('"""a');
    await first.shows(/\. $/);
    first.type('  b"""');
    await first.shows(/heard "a\\n {2}b"\n> $/);
    first.type('go \\');
    await first.shows(/\. $/);
    first.type('on');
    await first.shows(/heard "go \\non"\n> $/);
    first.type(' secret');
    await first.shows(/heard "secret"\n> $/);
    await leave(first);

    const file = join(dataDir, 'chat_history');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const kept = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const where = { server: server.url, session: sessionId };
    expect(kept).toEqual([
      { text: 'See: one\ntwo\n\nthree and more', ...where },
      { text: 'a\n  b', ...where },
      { text: 'go \non', ...where },
    ]);

    const second = await open('--session', sessionId);
    // Within a message of several lines it goes from line to line.
    second.press(UP.repeat(5));
    await second.shows(/three and more/);
    second.press('\r');
    await second.shows(/heard "See: one\\ntwo\\n\\nthree and more"\n> $/);
    await leave(second);
    expect((await server.messages(sessionId)).filter(({ role }) => role === 'user')).toHaveLength(5);
  });

  it('goes on with the newest session, shows what was said last, and joins an answer under way', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'What is the capital?' });
    server.ollama.reply(script(text('Once upon'), hangAfter(1)));
    const body = { message: 'Tell me', on_disconnect: 'continue' };
    const stream = await server.stream(`/chat/${sessionId}/stream`, body);
    for await (const { event } of stream.events) if (event === 'content_delta') break;
    const env = { MOCHI_PORT: new URL(server.url).port, MOCHI_DATA_DIR: dataDir };
    const terminal = openTerminal(['chat', '-c'], { env, columns: 120 });
    await terminal.shows(/> What is the capital\?\nheard "What is the capital\?"\n> Tell me\nOnce/);
    terminal.press('\u0003');
    await terminal.shows(/\(stopped; what is written is kept, \/continue goes on\)\n> $/);
    terminal.type('And now?');
    await terminal.shows(/heard "And now\?"\n> $/);
    await leave(terminal);
  });

  it('edits in one request, goes on with a fork, and with another model', async () => {
    const sessionId = await server.createSession();
    const terminal = await open('--session', sessionId);
    terminal.type('Hello');
    await terminal.shows(/heard "Hello"\n> $/);
    terminal.type('/edit Goodbye');
    await terminal.shows(/heard "Goodbye"\n> $/);
    terminal.type('/fork');
    await terminal.shows(/Session \w+ with llama3\.2:latest at .*\.\n> $/);
    terminal.type('/model');
    await terminal.shows(/\*1 {2}llama3\.2:latest\n 2 {2}qwen3:14b\n[^]*nothing: $/);
    terminal.type('qwen');
    await terminal.shows(/Session \w+ with qwen3:14b at .*\.\n> $/);
    terminal.type('/model tiny');
    await terminal.shows(/Session \w+ with tiny:latest at .*\.\n> $/);
    terminal.type('/model nobody');
    await terminal.shows(/Model nobody is not installed/);
    await leave(terminal);
    const { messages } = (await server.get(`/sessions/${sessionId}/tree`)).body;
    const said = messages.map((message: Record<string, unknown>) => [message['content'], message['active']]);
    expect(said).toEqual([
      ['Hello', false],
      ['heard "Hello"', false],
      ['Goodbye', true],
      ['heard "Goodbye"', true],
    ]);
  });
});
