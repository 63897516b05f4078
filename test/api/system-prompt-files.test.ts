// System prompt files: list, read, create, change, delete, and their use in sessions.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  folder = join(server.dataDir, 'system_prompts');
});
afterAll(() => server.close());

const pathOf = (name: string) => `/system-prompts/${encodeURIComponent(name)}`;
const create = (filename: unknown, content: unknown = 'Text') =>
  server.post('/system-prompts', { filename, content });
const read = (name: string) => server.get(pathOf(name));
const change = (name: string, content: unknown) => server.request('PUT', pathOf(name), { content });
const save = (name: string, content: unknown) => server.post(pathOf(name), { content });
const remove = (name: string) => server.request('DELETE', pathOf(name));
const list = async () => (await server.get('/system-prompts')).body.prompts;

describe('the life of a file', () => {
  it('is an empty list while there is no folder, which comes with the first file', async () => {
    expect(await readdir(server.dataDir)).not.toContain('system_prompts');
    expect((await server.get('/system-prompts')).body).toEqual({ prompts: [] });
    const { status, body } = await create('first.md', 'You are a pirate.\n');
    expect([status, body]).toEqual([201, { filename: 'first.md', content: 'You are a pirate.\n' }]);
    expect(await readFile(join(folder, 'first.md'), 'utf8')).toBe('You are a pirate.\n');
  });

  it('creates, reads, changes, creates no second one, deletes once', async () => {
    expect((await create('life.md', 'One')).status).toBe(201);
    expect((await read('life.md')).body).toEqual({ filename: 'life.md', content: 'One' });
    expect(expectError(await create('life.md', 'Two'), 409, 'prompt_exists')).toEqual({
      filename: 'life.md',
      existing: 'life.md',
    });
    expect(await change('life.md', 'Three')).toMatchObject({
      status: 200,
      body: { filename: 'life.md', content: 'Three' },
    });
    expect((await read('life.md')).body.content).toBe('Three');
    const deleted = await remove('life.md');
    expect([deleted.status, deleted.body]).toEqual([204, '']);
    for (const answer of [await remove('life.md'), await read('life.md'), await change('life.md', 'Four')]) {
      expect(expectError(answer, 404, 'prompt_not_found')).toEqual({ filename: 'life.md' });
    }
    expect(await readdir(folder)).not.toContain('life.md');
  });

  it('a POST to the file creates it, then changes it', async () => {
    expect(await save('save.md', 'One')).toMatchObject({ status: 201, body: { content: 'One' } });
    expect(await save('save.md', 'Two')).toMatchObject({ status: 200, body: { content: 'Two' } });
    expect((await read('save.md')).body.content).toBe('Two');
  });

  it('keeps any text as it came', async () => {
    const content = ' \uFEFF\u0000 тест 🦙\u2028\r\n\tend  ';
    expect((await create('any.md', content)).body.content).toBe(content);
    expect((await read('any.md')).body.content).toBe(content);
  });

  it('leaves nothing beside the files', async () => {
    expect((await readdir(folder)).filter((name) => !name.endsWith('.md'))).toEqual([]);
  });
});

describe('GET /system-prompts', () => {
  it('sorts by name, shortens at 250 code points and counts words', async () => {
    await create('z.md', ` two\n\twords `);
    await create('Z2.md', '😀'.repeat(250));
    await create('a.md', '😀'.repeat(251));
    await create('spaces.md', `${'x'.repeat(240)}${' '.repeat(20)}end`);
    const prompts = await list();
    const names: string[] = prompts.map(({ filename }: { filename: string }) => filename);
    expect(names).toEqual([...names].sort());
    const byName = Object.fromEntries(
      prompts.map((prompt: { filename: string }) => [prompt.filename, prompt]),
    );
    expect(byName['z.md']).toEqual({ filename: 'z.md', preview: ' two\n\twords ', word_count: 2 });
    expect(byName['Z2.md']).toMatchObject({ preview: '😀'.repeat(250), word_count: 1 });
    expect(byName['a.md'].preview).toBe(`${'😀'.repeat(247)}...`);
    expect(byName['spaces.md']).toMatchObject({ preview: `${'x'.repeat(240)}...`, word_count: 2 });
  });

  it('leaves out what is no prompt: other names, folders, other encodings, huge files', async () => {
    const before = await list();
    await mkdir(join(folder, 'folder.md'));
    await writeFile(join(folder, 'latin1.md'), Buffer.from([0x66, 0xfc, 0x72]));
    await writeFile(join(folder, 'huge.md'), 'x'.repeat(1024 * 1024 + 1));
    for (const name of ['notes.txt', '.hidden.md', 'upper.MD', 'back\\slash.md', 'line\nend.md']) {
      await writeFile(join(folder, name), 'not a prompt');
    }
    expect(await list()).toEqual(before);
    for (const name of ['folder.md', 'latin1.md', 'huge.md']) {
      expectError(await read(name), 404, 'prompt_not_found');
      expectError(await change(name, 'x'), 404, 'prompt_not_found');
      expectError(await remove(name), 404, 'prompt_not_found');
      // The name is taken all the same, and what has it is not written over.
      expectError(await create(name), 409, 'prompt_exists');
      expectError(await save(name, 'x'), 409, 'prompt_exists');
    }
  });
});

describe('content', () => {
  it.each(['', ' \n\t', 'x'.repeat(20_001), null, 7])('refuses %j', async (content) => {
    expectError(await create('content.md', content), 422, 'validation_error');
    expectError(await save('content.md', content), 422, 'validation_error');
    expectError(await change('any.md', content), 422, 'validation_error');
    expectError(await read('content.md'), 404, 'prompt_not_found');
  });

  it('takes 20 000 code points', async () => {
    expect((await create('long.md', '😀'.repeat(20_000))).status).toBe(201);
    expect((await read('long.md')).body.content).toBe('😀'.repeat(20_000));
  });
});

describe('in a session', () => {
  const created = (settings: object) => server.post('/sessions', { model: 'llama3.2:latest', ...settings });
  const set = (sessionId: string, body: unknown) =>
    server.request('PUT', `/sessions/${sessionId}/system-prompt`, body);

  it('is read at creation where there is no text', async () => {
    await create('pirate.md', 'You are a pirate.');
    const { status, body } = await created({ system_prompt_source_file: 'pirate.md' });
    expect([status, body.message_count]).toEqual([201, 1]);
    await server.chat(body.session_id, { message: 'Hi' });
    expect((await server.messages(body.session_id))[0]).toMatchObject({
      role: 'system',
      content: 'You are a pirate.',
      source_file: 'pirate.md',
    });
    const sent = server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages;
    expect(sent?.[0]).toMatchObject({ role: 'system', content: 'You are a pirate.' });
  });

  it('is a label beside a text, and not looked for', async () => {
    const { body } = await created({ system_prompt: 'Mine', system_prompt_source_file: '../no such file' });
    expect((await server.messages(body.session_id))[0]).toMatchObject({
      content: 'Mine',
      source_file: '../no such file',
    });
  });

  it('is read by PUT, and a copy: a later change of the file does not reach the session', async () => {
    await create('later.md', 'Before');
    const sessionId = await server.createSession({ system_prompt: 'Old' });
    const { status, body } = await set(sessionId, { source_file: 'later.md' });
    expect([status, body]).toEqual([200, { content: 'Before', source_file: 'later.md', message_index: 0 }]);
    await change('later.md', 'After');
    expect(await server.messages(sessionId)).toMatchObject([{ content: 'Before', source_file: 'later.md' }]);
    // Both: the text is stored, the file only names it.
    expect((await set(sessionId, { content: 'Mine', source_file: 'later.md' })).body).toEqual({
      content: 'Mine',
      source_file: 'later.md',
      message_index: 0,
    });
  });

  it('changes nothing when the file cannot be used', async () => {
    await writeFile(join(folder, 'blank.md'), ' \n');
    await writeFile(join(folder, 'too-long.md'), 'x'.repeat(20_001));
    const sessionId = await server.createSession({ system_prompt: 'Old' });
    const before = (await server.get(`/sessions/${sessionId}`)).body;
    for (const [name, status, code] of [
      ['missing.md', 404, 'prompt_not_found'],
      ['../mochi.db', 400, 'invalid_filename'],
      ['.hidden.md', 400, 'invalid_filename'],
      ['nul\u0000.md', 400, 'invalid_filename'],
      ['blank.md', 400, 'invalid_content'],
      ['too-long.md', 400, 'invalid_content'],
    ] as const) {
      expectError(await set(sessionId, { source_file: name }), status, code);
      expectError(await created({ system_prompt_source_file: name }), status, code);
      expectError(await created({ system_prompt: '', system_prompt_source_file: name }), status, code);
    }
    expect((await server.get(`/sessions/${sessionId}`)).body).toEqual(before);
  });
});

describe('files from Windows', () => {
  const TEXT = 'Antworte höflich. 🍡\r\n';
  const utf16 = Buffer.from(`\uFEFF${TEXT}`, 'utf16le');
  const written: [string, Buffer][] = [
    ['utf-8-mark.md', Buffer.from(`\uFEFF${TEXT}`)],
    ['utf-16-le.md', utf16],
    ['utf-16-be.md', Buffer.from(utf16).swap16()],
  ];

  it.each(written)('%s is listed and read without its mark, and changed to UTF-8', async (name, bytes) => {
    await writeFile(join(folder, name), bytes);
    expect(await list()).toContainEqual({ filename: name, preview: TEXT, word_count: 3 });
    expect((await read(name)).body.content).toBe(TEXT);
    const session = await server.post('/sessions', {
      model: 'llama3.2:latest',
      system_prompt_source_file: name,
    });
    const { messages } = (await server.get(`/sessions/${session.body.session_id}`)).body;
    expect(messages).toMatchObject([{ role: 'system', content: TEXT, source_file: name }]);
    expect((await change(name, `\uFEFF${TEXT}`)).body.content).toBe(TEXT);
    expect(await readFile(join(folder, name))).toEqual(Buffer.from(TEXT));
  });

  it('half a character is no text', async () => {
    await writeFile(join(folder, 'half.md'), Buffer.from('\uFEFFx\uD83C', 'utf16le'));
    await writeFile(join(folder, 'odd.md'), Buffer.concat([utf16, Buffer.from('x')]));
    for (const name of ['half.md', 'odd.md'])
      expect((await list()).map((file: any) => file.filename)).not.toContain(name);
  });

  it('an entry that is there but no prompt is told as such', async () => {
    await mkdir(join(folder, 'there.md'));
    const readIt = await read('there.md');
    expectError(readIt, 404, 'prompt_not_found');
    expect(readIt.body.detail.error.message).toMatch(/there.md is there, but .*UTF-16/);
    const createIt = await create('there.md');
    expectError(createIt, 409, 'prompt_exists');
    expect(createIt.body.detail.error.message).toMatch(/there.md is there, but .*UTF-16.*[Mm]ove it away/);
  });
});

describe('the folder', () => {
  it('can be another one', async () => {
    const other = join(server.dataDir, 'other');
    await server.restart({ systemPromptsDir: other });
    expect((await server.get('/system-prompts')).body).toEqual({ prompts: [] });
    await create('there.md');
    expect(await readdir(other)).toEqual(['there.md']);
    // A file in its place is a fault of the machine, told without its path.
    await server.restart({ systemPromptsDir: join(other, 'there.md') });
    expectError(await server.get('/system-prompts'), 500, 'session_load_error');
    expectError(await create('x.md'), 500, 'session_load_error');
    await server.restart({ systemPromptsDir: folder });
  });
});
