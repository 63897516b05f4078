// What can be done at the terminal beside talking: each command and each key, as a person uses it.
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { text, thinking } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { HAS_TERMINAL, openTerminal, type Terminal } from '../support/terminal.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;
const NOTHING = 'nothing: $';

let server: TestServer;
let folder: string;
let sessionId: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mochi-terminal-'));
  server = await startTestServer();
  server.ollama.setDefault(({ messages = [] }) => text(`heard ${JSON.stringify(messages.at(-1)?.content)}`));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  sessionId = await server.createSession();
});

async function open(...args: string[]): Promise<Terminal> {
  const editor = join(folder, 'editor');
  await writeFile(editor, '#!/bin/sh\nprintf " and\\nmore" >> "$1"\n');
  await chmod(editor, 0o700);
  const env = { MOCHI_PORT: new URL(server.url).port, MOCHI_DATA_DIR: folder, VISUAL: editor };
  const terminal = openTerminal(['chat', '--session', sessionId, ...args], { env, columns: 120 });
  await terminal.shows(/\/help shows the commands[^]*> $/);
  return terminal;
}

/** Types it, and waits for the next prompt. */
async function does(terminal: Terminal, line: string, shown: string | RegExp): Promise<void> {
  terminal.type(line);
  const pattern = typeof shown === 'string' ? shown : shown.source;
  await terminal.shows(new RegExp(`${pattern.replace(/\\n$/, '')}[^]*\n> $`));
}

async function leave(terminal: Terminal): Promise<void> {
  terminal.press('\u0004');
  expect(await terminal.exited).toBe(0);
}

const lastRequest = () => server.ollama.requestsTo('/api/chat').at(-1)?.body as any;

describe.skipIf(!HAS_TERMINAL)('commands of the conversation', { timeout: SLOW_MACHINE_MS }, () => {
  it('set how it is answered: options, thinking, system prompt', async () => {
    await server.post('/system-prompts', { filename: 'pirate.md', content: 'Talk like a pirate.' });
    await writeFile(join(folder, 'own.txt'), 'Talk like a clerk.');
    const terminal = await open('--model', 'x');
    await does(terminal, '/model qwen3:14b', 'with qwen3:14b at');
    await does(terminal, '/set', 'as the model has it');
    await does(terminal, '/set temperature 0.2', 'temperature is 0.2 from now on');
    await does(terminal, '/set seed 1.5', 'seed must be a whole number');
    await does(terminal, '/set temprature 1', 'There is no option temprature');
    await does(terminal, '/think high', /thinks \(high\)/);
    await does(terminal, `/prompt ${join(folder, 'own.txt')}`, 'The system prompt is own.txt');
    terminal.type('/prompt');
    await terminal.shows(/ 1 {2}pirate\.md {2}Talk like a pirate\.\n[^]*nothing: $/);
    await does(terminal, '1', 'The system prompt is pirate.md');
    await does(terminal, '/prompt nowhere', 'There is no prompt nowhere');
    await does(terminal, 'Hello', 'heard "Hello"');
    expect(lastRequest()).toMatchObject({ think: 'high', options: { temperature: 0.2 } });
    expect(lastRequest().messages[0].content).toBe('Talk like a pirate.');
    await does(terminal, '/prompt none', 'No system prompt');
    await does(terminal, '/context', /messages +2 sent, none left out[^]*window +\d/);
    await does(terminal, '/set temperature default', 'temperature is as the model has it');
    await does(terminal, '/preview And?', /"temperature"|"And\?"[^]*messages +3 sent/);
    await leave(terminal);
  });

  it('fold thoughts, and show them when asked', async () => {
    const terminal = await open();
    await does(terminal, '/model qwen3:14b', 'with');
    await does(terminal, '/show', 'no thoughts');
    await does(terminal, '/think on', 'thinks');
    server.ollama.reply(thinking(['Let me **see**'], ['It is 4.']));
    await does(terminal, '2 + 2?', /\n· thought \(\/show\)\nIt is 4\.\n/);
    await does(terminal, '/show', 'Let me see');
    await does(terminal, '/show on', 'shown');
    server.ollama.reply(thinking(['Hm'], ['Yes.']));
    await does(terminal, 'Sure?', /\nHm\nYes\.\n/);
    await leave(terminal);
  });

  it('take files along, copy, export and delete', async () => {
    const terminal = await open();
    await writeFile(join(folder, 'notes.md'), 'Buy milk');
    await does(
      terminal,
      `Sum up @${join(folder, 'notes.md')}, and @nothing.md`,
      /there is no file nothing\.md\)\n\(with .*notes\.md\)\nheard "Sum up/,
    );
    expect(lastRequest().messages.at(-1).content).toMatch(/notes\.md:\n```\nBuy milk\n```$/);
    await does(terminal, '/copy', 'Copied');
    const copied = /\]52;c;([\w+/=]+)/.exec(terminal.written)?.[1] ?? '';
    expect(Buffer.from(copied, 'base64').toString()).toMatch(/^heard "Sum up/);
    await does(terminal, '/copy 9', 'There is one answer here');
    const file = join(folder, 'chat.md');
    await does(terminal, `/export ${file}`, 'Written to');
    expect(await readFile(file, 'utf8')).toMatch(/^## You\n\nSum up @[^]*## Answer\n\nheard/);
    await does(terminal, `/export ${file}`, 'is there already');
    await does(terminal, `/export ${join(folder, 'no/where.json')}`, 'cannot be written');
    const history = join(folder, 'chat_history');
    expect(await readFile(history, 'utf8')).toContain('Sum up');
    terminal.type('/delete');
    await terminal.shows(/for good\? \(y, n\) $/);
    await does(terminal, 'y', 'It is gone');
    expect((await server.get(`/sessions/${sessionId}`)).status).toBe(404);
    expect(await readFile(history, 'utf8')).not.toContain('Sum up');
    await leave(terminal);
  });

  it('say when the conversation was deleted elsewhere, and forget what was typed in it', async () => {
    const terminal = await open();
    await does(terminal, 'a secret', 'heard');
    const elsewhere = await server.createSession();
    await server.request('DELETE', `/sessions/${sessionId}`);
    await does(terminal, 'Hello?', 'It was deleted');
    expect(await readFile(join(folder, 'chat_history'), 'utf8')).not.toContain('a secret');
    await does(terminal, `/use ${elsewhere}`, `Session ${elsewhere}`);
    await does(terminal, 'another secret', 'heard');
    await leave(terminal);
    await server.request('DELETE', `/sessions/${elsewhere}`);
    sessionId = await server.createSession();
    const later = await open();
    await expect.poll(() => readFile(join(folder, 'chat_history'), 'utf8')).not.toContain('another secret');
    await leave(later);
  });

  it('find and go on with a conversation', async () => {
    const other = await server.createSession();
    await server.chat(other, { message: 'Where do marmots sleep?' });
    const terminal = await open();
    terminal.type('/sessions');
    await terminal.shows(new RegExp(`1 {2}[^]*${NOTHING}`));
    await does(terminal, 'marmots', /> Where do marmots sleep\?\nheard "Where do marmots sleep\?"\n/);
    terminal.type('/sessions nobody said this');
    await terminal.shows(new RegExp(`Nothing found[^]*${NOTHING}`));
    terminal.press('\u0003');
    await terminal.shows(/\n> $/);
    await does(terminal, 'Still here', 'heard "Still here"');
    expect((await server.messages(other)).at(-1).content).toBe('heard "Still here"');
    await leave(terminal);
  });

  it('are told in 80 columns', async () => {
    const terminal = await open();
    await does(terminal, '/help', '/quit');
    const help = /Type a message[^]*leave/.exec(terminal.screen)?.[0] ?? '';
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
    await does(terminal, '/nothing', 'There is no /nothing');
    await does(terminal, '/etc/hosts is a file', 'heard "/etc/hosts is a file"');
    await leave(terminal);
  });
});

describe.skipIf(!HAS_TERMINAL)('keys of the conversation', { timeout: SLOW_MACHINE_MS }, () => {
  it('complete, look through what was typed, and open an editor', async () => {
    const terminal = await open();
    terminal.press('/reg\t');
    await terminal.shows(/\/regenerate$/);
    terminal.press('\u0003');
    terminal.press('/model qw\t');
    await terminal.shows(/qwen3:14b/);
    terminal.press('\r');
    await terminal.shows(/with qwen3:14b at[^]*\n> $/);
    await writeFile(join(folder, 'unique.txt'), 'x');
    terminal.press(`see @${folder}/uniq\t`);
    await terminal.shows(/unique\.txt/);
    // Ctrl-C with something in the line throws that away, and nothing else.
    terminal.press('\u0003');
    await does(terminal, 'alpha one', 'heard "alpha one"');
    await does(terminal, 'beta two', 'heard "beta two"');
    terminal.press('\u0012alpha');
    await terminal.shows(/\(search\) alpha one ← alpha$/);
    terminal.press('\r');
    await terminal.shows(/> alpha one$/);
    terminal.press('\u0007');
    await terminal.shows(/alpha one and\n\| more$/);
    terminal.press('\r');
    await terminal.shows(/heard "alpha one and\\nmore"\n> $/);
    terminal.press('\u0012beta\u001b');
    await terminal.shows(/\(search\)/);
    await terminal.shows(/> $/);
    terminal.type('/editor');
    await terminal.shows(/and\n\| more$/);
    terminal.press('\r');
    await terminal.shows(/heard "and\\nmore"\n> $/);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('mochi-message-'))).toEqual([]);
    terminal.type('/edit');
    await terminal.shows(/\/edit {1,2}and\n\| more$/);
    terminal.press('!\r');
    await terminal.shows(/heard "and\\nmore!"\n> $/);
    terminal.type('/branch');
    await terminal.shows(/1 {2}1 of 2 {2}you: and\W*more\n\*2 {2}2 of 2 {2}you: and\W*more!\n[^]*nothing: $/);
    terminal.type('1');
    await terminal.shows(/> and\nmore\nheard "and\\nmore"\n> $/);
    await leave(terminal);
  });

  it('stop an answer, keep what is typed meanwhile, and leave', async () => {
    const terminal = await open();
    server.ollama.reply(script(text('Once upon ', 'a time'), hangAfter(2)));
    terminal.type('Tell me');
    await terminal.shows(/Once upon a time$/);
    terminal.press('typed early');
    terminal.press('\u0003');
    await terminal.shows(/\(stopped; what is written is kept, \/continue goes on\)\n> typed early$/);
    terminal.press('\r');
    await terminal.shows(/heard "typed early"\n> $/);
    expect((await server.messages(sessionId))[1]).toMatchObject({
      content: 'Once upon a time',
      status: 'partial',
    });
    server.ollama.reply(script(text('Never'), hangAfter(1)));
    terminal.type('Again');
    await terminal.shows(/Never$/);
    terminal.press('\u0004');
    expect(await terminal.exited).toBe(0);
    const [turn] = (await server.get(`/sessions/${sessionId}/turns`)).body.turns;
    expect(turn.state).toBe('cancelled');
  });
});
