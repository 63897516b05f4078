// People decide at the terminal: in the middle of a conversation, and with a command of its own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCalls } from '../fake-ollama/chat-script.ts';
import { FILE_SCHEMA } from '../support/asking-server.ts';
import { askedOf } from '../support/deciding.ts';
import { succeeded } from '../support/scripted-source.ts';
import { startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { runCommand, startCommand } from '../support/spawned-server.ts';
import { openTerminal, type Terminal } from '../support/terminal.ts';

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;

let server: ToolServer;
beforeAll(async () => {
  server = await startToolServer([
    {
      name: 'delete_file',
      inputSchema: FILE_SCHEMA,
      run: async ({ path }) => succeeded(`Deleted ${String(path)}`),
    },
  ]);
  // `Delete A B` calls the tool for A and for B; the answer repeats what came of it.
  server.ollama.setDefault(({ messages = [] }) => {
    const last: any = messages.at(-1);
    const results = messages.slice(messages.findLastIndex(({ role }: any) => role === 'user') + 2);
    if (last.role === 'tool') return text(results.map(({ content }: any) => content).join(' | '));
    const paths: string[] = last.content.split(' ').slice(1);
    return toolCalls(paths.map((path) => ({ name: 'delete_file', args: { path } })));
  });
});
afterAll(() => server.close());

const env = () => ({ MOCHI_PORT: new URL(server.url).port });
const newSession = () => server.createSession({ tool_settings: { tools: ['delete_file'] } });
const run = async (...args: string[]) => runCommand(['approvals', ...args], { env: env() });
const last = async (sessionId: string) => (await server.messages(sessionId)).at(-1).content;

async function chatAt(sessionId: string, columns = 80): Promise<Terminal> {
  const terminal = openTerminal(['chat', '--session', sessionId], { env: env(), columns });
  await terminal.shows(/> /);
  return terminal;
}

describe('a conversation at the terminal', { timeout: SLOW_MACHINE_MS }, () => {
  it('asks before a tool runs: yes, no with a reason, other arguments, not again', async () => {
    const sessionId = await newSession();
    const terminal = await chatAt(sessionId, 60);
    terminal.type('Delete a.txt b.txt c.txt');
    await terminal.shows(/delete_file wants to run\.\n {2}path: "a\.txt"\n.*\(execution_policy\)\.\n/);
    await terminal.shows(/Run it\? \(y, n, \?\) /);
    terminal.type('perhaps');
    await terminal.shows(/ s +yes, and delete_file need not ask again in this session\n/);
    await terminal.shows(/Run it\?/);
    terminal.type('y');
    await terminal.shows(/→ Deleted a\.txt/);
    await terminal.shows(/path: "b\.txt"[^]*Run it\?/);
    terminal.type('n Keep this one.');
    await terminal.shows(/path: "c\.txt"[^]*Run it\?/);
    terminal.type('e');
    await terminal.shows(/Arguments: \{"path":"c\.txt"\}/);
    // Over the end of what stands there.
    terminal.press('\u007f'.repeat('c.txt"}'.length));
    terminal.type('d.txt"}');
    await terminal.shows(/→ Note: the user changed/);
    await terminal.shows(/> /);
    expect(await last(sessionId)).toBe(
      'Deleted a.txt | Tool \'delete_file\' was denied by user: Keep this one. | Note: the user changed the arguments to {"path":"d.txt"}.\nDeleted d.txt',
    );

    terminal.type('Delete e.txt');
    await terminal.shows(/Run it\?/);
    terminal.type('s');
    await terminal.shows(/Deleted e\.txt\n> /);
    terminal.type('Delete f.txt');
    await terminal.shows(/· delete_file \{"path":"f\.txt"\}\n {2}→ Deleted f\.txt\nDeleted f\.txt\n> /);
    terminal.type('/quit');
    expect(await terminal.exited).toBe(0);
  });

  it('shows what arguments would do to the terminal, and does not do it', async () => {
    const terminal = await chatAt(await newSession());
    server.ollama.reply(toolCalls([{ name: 'delete_file', args: { path: 'a\u009b2J\nb\u202ec' } }]));
    terminal.type('Go');
    await terminal.shows(/ {2}path:\n {4}\| a<9B>2J\n {4}\| b<202E>c\n[^]*Run it\? /);
    terminal.type('e');
    await terminal.shows(/Arguments: \{"path":"a\\u009b2J\\nb\\u202ec"\}/);
    terminal.press('\u0003');
    await terminal.shows(/\(stopped\)/);
    terminal.press('\u0004');
    await terminal.exited;
  });

  it('withdraws what somebody else has decided, and stops when whoever was asked leaves', async () => {
    const sessionId = await newSession();
    const terminal = await chatAt(sessionId);
    terminal.type('Delete a.txt');
    await terminal.shows(/Run it\?/);
    const [asked] = await askedOf(server, sessionId);
    await run('deny', asked.confirmation_id);
    await terminal.shows(/\(decided elsewhere\)\n[^]*denied: [^]*> /);
    terminal.type('Delete b.txt');
    await terminal.shows(/Run it\?/);
    terminal.press('\u0004');
    await terminal.shows(/\(stopped\)/);
    expect(await terminal.exited).toBe(0);
    const { body } = await server.get(`/approvals?session_id=${sessionId}&status=all`);
    expect(body.approvals.map(({ state }: any) => state)).toEqual(['cancelled', 'denied']);
  });
});

describe('approvals', { timeout: SLOW_MACHINE_MS }, () => {
  it('lists, shows and decides', async () => {
    expect(await run()).toMatchObject({ status: 0, stdout: 'Nothing waits for an approval.\n' });
    const sessionId = await newSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Delete a.txt b.txt c.txt' });
    const ended = stream.all();
    const [a = '', b = '', c = ''] = (await askedOf(server, sessionId, 3)).map(
      ({ confirmation_id: id }) => id,
    );
    const { stdout } = await run();
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(new RegExp(`^${a}  .*, session ${sessionId}$`)),
      '  delete_file {"path":"a.txt"}',
    ]);
    const shown = await run('show', b);
    expect(shown.stdout).toContain('delete_file wants to run.\n  path: "b.txt"\n');
    expect(shown.stdout).toContain('Arguments must fit {"type":"object"');

    expect(await run('approve', a, b, '--arguments', '{"path":"d.txt"}')).toMatchObject({
      status: 0,
      stdout: `${a} approved: delete_file {"path":"d.txt"}\n${b} approved: delete_file {"path":"d.txt"}\n`,
    });
    expect(await run('respond', c, 'It was never there.')).toMatchObject({ status: 0 });
    await ended;
    expect(await last(sessionId)).toMatch(/Deleted d\.txt \| .*\nDeleted d\.txt \| It was never there\.$/s);

    expect(await run('approve', a)).toMatchObject({
      status: 1,
      stderr: `mochi-server: ${a} was decided already: edit.\n`,
    });
    const all = await run('--all');
    expect(all.stdout).toMatch(new RegExp(`^${c}  .*, answered, session ${sessionId}\n`));
  });

  it('says in a line what is wrong', async () => {
    const sessionId = await newSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Delete a.txt' });
    const [{ confirmation_id: id }] = await askedOf(server, sessionId);
    const ends = await Promise.all([
      run('approve', 'conf_nothing'),
      run('approve', id, '--arguments', '{"where":1}'),
      run('approve', id, '--arguments', 'a.txt'),
      run('approve', id, '--remember', 'for ever'),
      run('approve'),
      runCommand(['approvals'], { env: { MOCHI_PORT: '9' } }),
    ]);
    const doctor = await runCommand(['doctor'], {
      env: { ...env(), MOCHI_DATA_DIR: server.dataDir, MOCHI_OLLAMA_HOST: server.ollama.url },
    });
    expect(doctor.stdout).toMatch(/Approvals: 1 waits for a decision/);
    expect(ends.map(({ status, stderr }) => [status, stderr.split('\n')[0]])).toEqual([
      [2, 'mochi-server: There is no approval conf_nothing.'],
      [2, expect.stringContaining('The arguments do not fit: ')],
      [2, expect.stringContaining('must be a JSON object')],
      [2, expect.stringContaining('Allowed choices are session, always')],
      [2, expect.stringContaining("missing required argument 'id'")],
      [1, expect.stringContaining('No server answers at http://127.0.0.1:9. Start it: ')],
    ]);
    stream.abort();
  });

  it('follows what is asked and decided', async () => {
    const following = startCommand(['approvals', '--follow'], { env: env() });
    const sessionId = await newSession();
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Delete g.txt' });
    await following.printed('stdout', /delete_file \{"path":"g\.txt"\}/);
    const [{ confirmation_id: id }] = await askedOf(server, sessionId);
    await run('deny', id, '--reason', 'No.');
    await following.printed('stdout', new RegExp(`${id}  .*, denied, `));
    await stream.all();
    await following.kill('SIGINT');
  });
});
