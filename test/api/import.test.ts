// The first start in a folder of the original: its conversations come along, once, and its files stay as they are.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createServer, type Server } from '../../src/server.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { createClient } from '../support/test-client.ts';
import { ID, TIMESTAMP } from './wire-formats.ts';

const fixtures = fileURLToPath(new URL('../fixtures/original-sessions', import.meta.url));
/** File → session, in the order of `updated_at`, the newest first. */
const sessions = {
  'future-2.0.json': 'f00dfeed01',
  'server-1.4.json': 'b5a3d7e4c9',
  'server-1.3.json': 'a1b2c3d4e5',
  'coco-1.2-nulls.json': '00ff00ff00',
  'coco-1.2.json': 'e2fa3e468d',
  'coco-1.1.json': '7c01f3aa90',
  'coco-1.1-confirmation.json': 'test123',
  'coco-1.0.json': '2bd92ff8c6',
};

interface LogLine {
  readonly level: number;
  readonly msg: string;
}
const WARN = 40;

let ollama: FakeOllama;
let dataDir: string;
let folder: string;
let server: Server;
let url: string;
let lines: LogLine[];
const client = createClient(() => url);

async function start(): Promise<void> {
  const loaded = loadConfig({
    flags: { port: '0', dataDir, engine: 'ollama', ollamaHost: ollama.url },
    env: {},
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  lines = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  server = await createServer(loaded.config, pino({ level: 'info' }, stream));
  url = await server.listen();
}

/** Every file with its bytes. */
async function readFiles(): Promise<Record<string, string>> {
  const names = (await readdir(folder)).toSorted();
  const entries = names.map(async (name) => [name, await readFile(join(folder, name), 'base64')]);
  return Object.fromEntries(await Promise.all(entries));
}

const importLines = () => lines.filter(({ msg }) => msg.includes('.json'));

let filesBefore: Record<string, string>;
beforeAll(async () => {
  // A template that refuses what strict models refuse: a call without its result, a late system message.
  ollama = await startFakeOllama({
    models: ['qwen3:14b', 'llama3.2:latest', 'gemma3:4b', 'qwen4:30b'].map((name) => ({
      name,
      capabilities: ['completion', 'tools'],
      contextLength: 40_960,
      strictTemplate: true,
    })),
  });
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-import-'));
  folder = join(dataDir, 'chat_sessions');
  await cp(fixtures, folder, { recursive: true });
  await writeFile(join(folder, 'notes.txt'), 'not a session');
  filesBefore = await readFiles();
  await start();
});
afterAll(async () => {
  await server.close();
  await ollama.close();
  await rm(dataDir, { recursive: true });
});

describe('the first start', () => {
  it('imports every session that can be read', async () => {
    const { body } = await client.get('/sessions');
    const shown = body.sessions.map((session: Record<string, unknown>) => [
      session['session_id'],
      session['message_count'],
      session['preview'],
    ]);
    expect(shown).toEqual([
      ['f00dfeed01', 2, 'Hi'],
      ['b5a3d7e4c9', 5, 'Add 2 and 3'],
      ['a1b2c3d4e5', 3, '2 + 3?'],
      ['00ff00ff00', 2, 'Hi'],
      ['e2fa3e468d', 5, 'Roll two dice, then roll one more'],
      ['7c01f3aa90', 3, 'What is the capital of France?'],
      ['test123', 0, ''],
      ['2bd92ff8c6', 4, 'Huhu! Was kannst du für mich tun?'],
    ]);
  });

  it('says of every file in one line what became of it, and names the one that it cannot read', () => {
    const expected = Object.entries(sessions).map(([file, id]) => [
      30,
      expect.stringMatching(new RegExp(`${file}: imported as session ${id} \\(\\d messages\\)$`)),
    ]);
    const broken = [WARN, expect.stringMatching(/broken\.json: not imported: not JSON/)];
    const notes = [30, expect.stringMatching(/notes\.txt: not imported: its name ends in none of/)];
    const said = importLines().map(({ level, msg }) => [level, msg]);
    expect(said).toHaveLength(10);
    expect(said).toEqual(expect.arrayContaining([...expected, broken, notes]));
    // The parser's own words would quote the conversation.
    expect(JSON.stringify(lines)).not.toContain('Answer briefly');
  });

  it('leaves the files as they are, to the byte', async () => {
    expect(Object.keys(filesBefore)).toHaveLength(10);
    expect(await readFiles()).toEqual(filesBefore);
  });

  it.each(Object.entries(sessions))('%s can be read whole', async (file, id) => {
    const original = JSON.parse(await readFile(join(folder, file), 'utf8'));
    const { status, body } = await client.get(`/sessions/${id}`);
    expect([status, body.model]).toEqual([200, original.metadata.model]);
    const contents = original.messages.map(({ role, content }: Record<string, string>) => [role, content]);
    expect(body.messages.map(({ role, content }: Record<string, string>) => [role, content])).toEqual(
      contents,
    );
    for (const [index, message] of body.messages.entries()) {
      expect(message.message_id).toMatch(ID);
      expect(message.message_id).toBe(original.messages[index].message_id ?? message.message_id);
      expect(message.timestamp).toMatch(TIMESTAMP);
      expect(message.parent_id).toBe(body.messages[index - 1]?.message_id ?? null);
      expect([message.status, message.sibling_count]).toEqual(['complete', 1]);
    }
    for (const time of [body.created_at, body.updated_at]) expect(time).toMatch(TIMESTAMP);
    expect(await client.messages(id)).toEqual(body.messages);
  });

  it('reads times as instants: with an offset, without a zone, without a fraction', async () => {
    const { body: future } = await client.get('/sessions/f00dfeed01');
    expect(future).toMatchObject({
      created_at: '2027-01-01T00:00:00.000000Z',
      updated_at: '2027-01-01T00:00:01.500000Z',
    });
    expect(future.messages[0].timestamp).toBe('2027-01-01T00:00:00.250000Z');
    const { body: coco } = await client.get('/sessions/7c01f3aa90');
    expect(coco.created_at).toBe('2025-09-28T10:00:00.000000Z');
  });

  it('takes settings, summaries and windows along', async () => {
    expect((await client.get('/sessions/b5a3d7e4c9')).body).toMatchObject({
      tool_settings: {
        tools: ['add_numbers', 'read_file'],
        execution_policy: 'never_confirm',
        tool_policies: { read_file: 'always_confirm' },
      },
      context_window: { current_window: 20_000, last_adjustment: 'usage_threshold' },
      summary_model: 'llama3.2:latest',
    });
    expect((await client.get('/sessions/a1b2c3d4e5')).body).toMatchObject({
      tool_settings: { tools: ['add_numbers'], execution_policy: 'always_confirm', tool_policies: {} },
      agent_settings: { enabled_agents: ['coder'] },
    });
    const { body } = await client.get('/sessions');
    const summaries = body.sessions.map(
      ({ summary }: { summary: { summary: string } | null }) => summary?.summary,
    );
    expect(summaries).toEqual([
      'A greeting.',
      'The user adds two numbers.',
      undefined,
      undefined,
      undefined,
      'The user asks for the capital of France. The assistant answers Paris.',
      'Plain text, as coco wrote it before the summary had topics.',
      undefined,
    ]);
  });
});

describe('an imported session', () => {
  it.each([...Object.values(sessions), 'test123'])(
    '%s can chat, and a strict engine takes its history',
    async (id) => {
      const before = await client.messages(id);
      await client.chat(id, { message: 'And now?' });
      const sent = ollama.requestsTo('/api/chat').at(-1)?.body?.messages ?? [];
      expect(sent.at(-1)).toEqual({ role: 'user', content: 'And now?' });
      expect(sent.findLastIndex(({ role }) => role === 'system')).toBeLessThanOrEqual(0);
      expect((await client.messages(id)).slice(0, -2)).toEqual(before);
    },
  );

  it('sends results of tools with their calls', async () => {
    const sentBy = (text: string) =>
      ollama
        .requestsTo('/api/chat')
        .find(({ body }) => body?.messages?.some(({ content }) => content === text))?.body?.messages;
    expect(sentBy('Add 2 and 3')).toMatchObject([
      { role: 'system', content: 'Answer briefly.' },
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ function: { name: 'add_numbers', arguments: { a: 2, b: 3 } } }] },
      { role: 'tool', tool_name: 'add_numbers', content: '5' },
      { role: 'assistant', content: '2 + 3 = 5' },
      { role: 'user', content: 'And now?' },
    ]);
    expect(sentBy('Roll two dice, then roll one more')).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        tool_calls: [
          { function: { name: 'roll_dice', arguments: { count: 2, sides: 6 } } },
          { function: { name: 'roll_dice', arguments: {} } },
        ],
      },
      { role: 'tool', tool_name: 'roll_dice', content: '3, 5' },
      { role: 'tool', tool_name: 'roll_dice', content: 'Error: no dice left' },
      { role: 'assistant' },
      { role: 'user', content: 'And now?' },
    ]);
  });

  it('can be edited, forked and deleted like any other', async () => {
    const edited = await client.request('PUT', '/sessions/b5a3d7e4c9/messages/1', { content: 'Add 3 and 4' });
    expect(edited.body).toMatchObject({ message_index: 1, message_count: 2 });
    const forked = await client.post('/sessions/b5a3d7e4c9/fork', { message_id: 'aaaaaaaa05' });
    expect(forked.body.message_count).toBe(5);
    await client.chat(forked.body.session_id, { message: 'In the fork' });
    expect((await client.request('DELETE', '/sessions/00ff00ff00')).status).toBe(204);
  });
});

describe('the second start', () => {
  it('imports nothing: not what is there, not what was deleted, not what came later', async () => {
    const before = (await client.get('/sessions')).body;
    await writeFile(
      join(folder, 'later.json'),
      filesBefore['coco-1.0.json'] === undefined
        ? ''
        : Buffer.from(filesBefore['coco-1.0.json'], 'base64').toString().replace('2bd92ff8c6', 'aaaa000000'),
    );
    await server.close();
    await start();
    expect(importLines()).toEqual([]);
    expect((await client.get('/sessions')).body).toEqual(before);
    expect(JSON.stringify(before)).not.toContain('00ff00ff00');
    await rm(join(folder, 'later.json'));
    expect(await readFiles()).toEqual(filesBefore);
  });
});
