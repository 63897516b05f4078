// One question from a script: `mochi-server ask`, and `chat` with a question or through a pipe.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, thinking, toolCalls } from '../fake-ollama/chat-script.ts';
import { finalFields, script } from '../fake-ollama/script-modifiers.ts';
import { FILE_SCHEMA } from '../support/asking-server.ts';
import { succeeded } from '../support/scripted-source.ts';
import { startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { runCommand, startCommand } from '../support/spawned-server.ts';
import { behave } from '../turns/behave.ts';

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;
/** The smallest picture that there is. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let server: ToolServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mochi-ask-'));
  server = await startToolServer([
    { name: 'delete_file', inputSchema: FILE_SCHEMA, run: async () => succeeded('Deleted') },
  ]);
  server.ollama.setDefault((request) => {
    const { messages = [] } = request;
    const last: any = messages.at(-1);
    if (last.role === 'tool') return text(`It says: ${last.content}`);
    if (last.content === 'Delete it') return toolCalls([{ name: 'delete_file', args: { path: 'a.txt' } }]);
    return last.content.startsWith('echo') ? text(last.content) : behave(request);
  });
  await writeFile(join(folder, 'notes.md'), '# Notes\n```js\n1\n```\n');
  await writeFile(join(folder, 'dot.png'), Buffer.from(PIXEL, 'base64'));
  await writeFile(join(folder, 'sound.bin'), Buffer.from([0, 255, 254, 0, 1]));
  await writeFile(join(folder, 'city.json'), '{"type":"object","properties":{"city":{"type":"string"}}}');
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const env = () => ({ MOCHI_PORT: new URL(server.url).port, MOCHI_DATA_DIR: folder });
const ask = (args: readonly string[], input = '') => runCommand(['ask', ...args], { env: env(), input });
const questionOf = async (sessionId: string) =>
  (await server.messages(sessionId)).findLast(({ role }: any) => role === 'user').content;

describe('mochi-server ask', { timeout: SLOW_MACHINE_MS }, () => {
  it('prints the answer and nothing else, of words, a pipe, or both', async () => {
    const [words, piped, both, chatted] = await Promise.all([
      ask(['echo', 'one', 'two']),
      ask([], 'echo from a pipe\n'),
      ask(['echo this:'], 'line 1\nline 2\n'),
      runCommand(['chat', 'echo', 'me'], { env: env(), input: '' }),
    ]);
    expect(words).toMatchObject({ status: 0, stdout: 'echo one two\n', stderr: '' });
    expect(piped).toMatchObject({ status: 0, stdout: 'echo from a pipe\n', stderr: '' });
    expect(both.stdout).toBe('echo this:\n\nstdin:\n```\nline 1\nline 2\n```\n');
    expect(chatted).toMatchObject({ status: 0, stdout: 'echo me\n', stderr: '' });
  });

  it('goes on with a session; a new one has the model and the system prompt that were said', async () => {
    const first = await ask(['Hello', '--json', '--model', 'qwen3:14b', '--system', 'Be brief.']);
    expect([first.status, first.stderr]).toEqual([0, '']);
    const answer = JSON.parse(first.stdout);
    expect(answer).toMatchObject({ message: { content: 'Fine.', model: 'qwen3:14b' } });
    expect((await server.get(`/turns/${answer.turn_id}`)).body.state).toBe('completed');
    const id = answer.session_id;
    expect((await server.messages(id))[0]).toMatchObject({ role: 'system', content: 'Be brief.' });
    const second = await ask(['And now?', '--session', id]);
    expect(second).toMatchObject({ status: 0, stdout: 'Fine.\n' });
    expect((await server.messages(id)).filter(({ role }: any) => role !== 'system')).toHaveLength(4);
    const wrong = await ask(['Hello', '--session', id, '--system', 'x']);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('for a new session') });
  });

  it('takes files along: text in a fence that fits, pictures beside it; a name that is none stays a word', async () => {
    const sessionId = await server.createSession();
    const notes = join(folder, 'notes.md');
    const { status, stdout, stderr } = await ask([
      `echo @${notes}, and @someone @no/such.md`,
      '--file',
      join(folder, 'city.json'),
      '--session',
      sessionId,
    ]);
    expect([status, stderr]).toEqual([
      0,
      'mochi-server: there is no file no/such.md; it is taken as it stands.\n',
    ]);
    expect(stdout).toBe(
      `echo @${notes}, and @someone @no/such.md\n\n${notes}:\n\`\`\`\`\n# Notes\n\`\`\`js\n1\n\`\`\`\n\`\`\`\`\n\n` +
        `${join(folder, 'city.json')}:\n\`\`\`\n${await readFile(join(folder, 'city.json'), 'utf8')}\n\`\`\`\n`,
    );
    const seeing = await server.createSession({ model: 'llava:7b' });
    const seen = await ask(['What is it?', '--file', join(folder, 'dot.png'), '--session', seeing]);
    expect(seen).toMatchObject({ status: 0, stderr: '' });
    expect(await questionOf(seeing)).toBe('What is it?');
    expect((await server.messages(seeing)).find(({ role }: any) => role === 'user').images).toEqual([PIXEL]);
  });

  it('prints events as they are, and a JSON that fits a schema', async () => {
    const { status, stdout } = await ask(['--events', 'Hello']);
    expect(status).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect([events[0].event, events.at(-1).event]).toEqual(['turn_start', 'done']);

    server.ollama.reply(text('{"city":"Paris"}'));
    const fitting = await ask(['Capital?', '--schema', join(folder, 'city.json')]);
    expect(fitting).toMatchObject({ status: 0, stdout: '{"city":"Paris"}\n', stderr: '' });
    expect(server.ollama.requestsTo('/api/chat').at(-1)?.body?.format).toEqual({
      type: 'object',
      properties: { city: { type: 'string' } },
    });
    server.ollama.reply(script(text('{"city":"Pa'), finalFields({ done_reason: 'length' })));
    const cut = await ask(['Capital?', '--schema', join(folder, 'city.json')]);
    expect(cut).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^mochi-server: /) });
  });

  it('denies what asks for an approval, and says so; what is thought or cut is told beside the answer', async () => {
    const sessionId = await server.createSession({ tool_settings: { tools: ['delete_file'] } });
    const { status, stdout, stderr } = await ask(['Delete it', '--session', sessionId]);
    expect([status, stdout]).toEqual([
      0,
      "It says: Tool 'delete_file' was denied by user: Nobody is there to approve it.\n",
    ]);
    expect(stderr).toContain('delete_file asks for an approval, and nobody is here to give it: denied.\n');
    server.ollama.reply(script(thinking(['Hm'], ['One, two']), finalFields({ done_reason: 'length' })));
    const cut = await ask(['Count', '--think', '--model', 'qwen3:14b']);
    expect(cut).toMatchObject({
      status: 0,
      stdout: 'One, two\n',
      stderr: 'Hm\nmochi-server: the answer was cut (finish_reason length)\n',
    });
  });

  it('stops the model at Ctrl-C, and keeps the part', async () => {
    const sessionId = await server.createSession();
    const running = startCommand(['ask', 'hang 3', '--session', sessionId], { env: env(), input: '' });
    await running.printed('stdout', /t2 /);
    expect(await running.kill('SIGINT')).toMatchObject({ status: 130, stdout: 't0 t1 t2 \n', stderr: '' });
    const { turns } = (await server.get(`/sessions/${sessionId}/turns`)).body;
    await expect
      .poll(async () => (await server.get(`/turns/${turns[0].turn_id}`)).body.state)
      .toBe('cancelled');
  });

  it('says in a line what is wrong', async () => {
    const at = (name: string) => join(folder, name);
    const ends = await Promise.all([
      ask(['Hi', '--server', 'http://127.0.0.1:9']),
      ask(['Hi', '--session', 'nothing']),
      ask(['fail 2']),
      ask([]),
      ask(['Hi', '--file', at('none.txt')]),
      ask(['Hi', '--file', at('sound.bin')]),
      ask(['Hi', '--file', folder]),
      ask(['Hi', '--schema', at('notes.md')]),
      ask(['Hi', '--json', '--events']),
    ]);
    expect(ends.map(({ status, stdout, stderr }) => [status, stdout, stderr])).toEqual([
      [1, '', expect.stringMatching(/^mochi-server: no server answers at http:.* Start it: .*\n$/)],
      [1, '', 'mochi-server: Session nothing not found\n'],
      [1, 't0 t1 \n', expect.stringMatching(/^mochi-server: .*the model broke\n$/)],
      [2, '', expect.stringContaining('Say what to ask')],
      [2, '', `mochi-server: ${at('none.txt')} cannot be read: there is no such file.\n`],
      [2, '', expect.stringContaining('sound.bin is neither text nor a picture')],
      [2, '', `mochi-server: ${folder} cannot be read: it is a folder.\n`],
      [2, '', expect.stringContaining('notes.md is no JSON Schema')],
      [2, '', expect.stringContaining('exclude each other')],
    ]);
  });
});
