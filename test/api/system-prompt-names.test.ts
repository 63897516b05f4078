// Names of system prompt files: no way out of the folder, no torn file, no two files for one name.
import { link, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { sendRequest } from './raw-http.ts';
import { expectEnvelope, expectError } from './wire-formats.ts';

let server: TestServer;
let folder: string;
let secret: string;
beforeAll(async () => {
  server = await startTestServer();
  folder = join(server.dataDir, 'system_prompts');
  secret = join(server.dataDir, 'secret.md');
  await writeFile(secret, 'SECRET');
  await server.post('/system-prompts', { filename: 'known.md', content: 'Known' });
});
afterAll(() => server.close());

const METHODS = ['GET', 'PUT', 'POST', 'DELETE'] as const;
const send = (method: string, name: string, content = 'Changed') =>
  server.request(
    method,
    `/system-prompts/${encodeURIComponent(name)}`,
    method === 'GET' || method === 'DELETE' ? undefined : { content },
  );
const names = async () =>
  (await server.get('/system-prompts')).body.prompts.map(({ filename }: { filename: string }) => filename);

const BAD_NAMES = [
  '../secret.md',
  '..\\secret.md',
  'sub/file.md',
  '/etc/file.md',
  '.hidden.md',
  '..md',
  '.md',
  'none.txt',
  'upper.MD',
  'none',
  'nul\u0000.md',
  'line\n.md',
  'escape\u001b[2J.md',
  'next\u0085.md',
  `${'x'.repeat(253)}.md`,
  `${'ü'.repeat(127)}.md`,
];

describe.each(BAD_NAMES)('the name %j', (name) => {
  it('is refused in an address', async () => {
    for (const method of METHODS) expectError(await send(method, name), 400, 'invalid_filename');
  });

  it('is refused in a body', async () => {
    const answer = await server.post('/system-prompts', { filename: name, content: 'x' });
    expectError(answer, 422, 'validation_error');
    expect(answer.body.detail.error.details.errors).toEqual([
      { path: '/filename', message: expect.stringMatching(/^must /) },
    ]);
  });
});

describe('addresses', () => {
  it.each([
    '/system-prompts/..%2fsecret.md',
    '/system-prompts/%2e%2e%2fsecret.md',
    '/system-prompts/..%5csecret.md',
    '/system-prompts/../secret.md',
    '/system-prompts/%2e%2e/secret.md',
    '/system-prompts/%252e%252e%252fsecret.md',
    '/system-prompts/..%c0%afsecret.md',
    '/system-prompts/%00.md',
    '/system-prompts//secret.md',
    '/system-prompts/known.md%00.md',
    '/system-prompts/..',
  ])('%s leads nowhere, exactly as it was written', async (path) => {
    for (const method of METHODS) {
      const { status, text } = await sendRequest(server.url, {
        method,
        path: `/api/v1${path}`,
        headers: { host: 'localhost', 'content-type': 'application/json' },
        ...(method !== 'GET' && { body: '{"content":"SECRET"}' }),
      });
      // Twice encoded is once encoded: a name with percent signs in it, which a POST may give to a file.
      if (path.includes('%252e') && method === 'POST') {
        expect(status).toBe(201);
        continue;
      }
      if (path.includes('%252e') && method === 'DELETE') {
        expect(status).toBe(204);
        continue;
      }
      expect([400, 404, 405]).toContain(status);
      const { code } = JSON.parse(text).detail.error;
      expectEnvelope(JSON.parse(text), code);
      expect(text).not.toContain('SECRET');
    }
    expect(await readFile(secret, 'utf8')).toBe('SECRET');
    expect(await names()).toEqual(['known.md']);
  });

  it('take the longest name there is, and any script', async () => {
    for (const name of [`${'x'.repeat(252)}.md`, 'Prüfer 審査員 🦙.md', 'a b.c+d&e=f?.md', '%2e%2e%2f.md']) {
      expect([name, (await send('POST', name, 'Text')).status]).toEqual([name, 201]);
      expect((await send('GET', name)).body).toEqual({ filename: name, content: 'Text' });
      expect((await send('DELETE', name)).status).toBe(204);
    }
  });
});

describe('links', () => {
  beforeAll(async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'inner.md'), 'Inner');
    await symlink(secret, join(folder, 'outside.md'));
    await symlink('../secret.md', join(folder, 'relative.md'));
    await symlink('/etc/hostname', join(folder, 'system.md'));
    await symlink(join(folder, 'nothing.md'), join(folder, 'dangling.md'));
    await symlink('loop.md', join(folder, 'loop.md'));
    await symlink('outside.md', join(folder, 'twice.md'));
    await symlink(server.dataDir, join(folder, 'sub', 'up'));
    await symlink('sub/up/secret.md', join(folder, 'around.md'));
    await symlink('sub/inner.md', join(folder, 'inside.md'));
  });

  it.each(['outside.md', 'relative.md', 'system.md', 'dangling.md', 'loop.md', 'twice.md', 'around.md'])(
    '%s leads outside or nowhere: not listed, not read, not written, not deleted',
    async (name) => {
      const target = await readlink(join(folder, name));
      expect(await names()).not.toContain(name);
      for (const method of ['GET', 'PUT', 'DELETE']) {
        expectError(await send(method, name), 404, 'prompt_not_found');
      }
      expectError(await send('POST', name), 409, 'prompt_exists');
      expectError(
        await server.post('/system-prompts', { filename: name, content: 'x' }),
        409,
        'prompt_exists',
      );
      expectError(
        await server.post('/sessions', { model: 'llama3.2', system_prompt_source_file: name }),
        404,
        'prompt_not_found',
      );
      expect(await readlink(join(folder, name))).toBe(target);
      expect(await readFile(secret, 'utf8')).toBe('SECRET');
      expect(await readdir(folder)).not.toContain('nothing.md');
    },
  );

  it('a link to a file inside is read; a write replaces the link and not the file', async () => {
    expect((await send('GET', 'inside.md')).body.content).toBe('Inner');
    expect(await names()).toContain('inside.md');
    expect((await send('PUT', 'inside.md', 'Mine')).status).toBe(200);
    expect(await readFile(join(folder, 'inside.md'), 'utf8')).toBe('Mine');
    expect(await readFile(join(folder, 'sub', 'inner.md'), 'utf8')).toBe('Inner');
  });

  it('a write to a file with a second name elsewhere does not reach through it', async () => {
    const elsewhere = join(server.dataDir, 'elsewhere.md');
    await writeFile(elsewhere, 'Elsewhere');
    await link(elsewhere, join(folder, 'hard.md'));
    expect((await send('PUT', 'hard.md', 'Here')).status).toBe(200);
    expect(await readFile(elsewhere, 'utf8')).toBe('Elsewhere');
  });
});

describe('names that some file systems take for one', () => {
  it('are refused at creation, with the file that is there', async () => {
    for (const name of ['KNOWN.md', 'Known.md']) {
      const details = { filename: name, existing: 'known.md' };
      expect(expectError(await send('POST', name), 409, 'prompt_exists')).toEqual(details);
      const created = await server.post('/system-prompts', { filename: name, content: 'x' });
      expect(expectError(created, 409, 'prompt_exists')).toEqual(details);
      expectError(await send('GET', name), 404, 'prompt_not_found');
      expectError(await send('PUT', name), 404, 'prompt_not_found');
      expectError(await send('DELETE', name), 404, 'prompt_not_found');
    }
    expect((await send('GET', 'known.md')).body.content).toBe('Known');
  });

  it('in another Unicode form mean the same file', async () => {
    const composed = 'caf\u00e9.md';
    const decomposed = 'cafe\u0301.md';
    const { body } = await send('POST', decomposed, 'One');
    expect(body.filename).toBe(composed);
    expect(await readdir(folder)).toContain(composed);
    expect((await send('GET', decomposed)).body).toEqual({ filename: composed, content: 'One' });
    expect((await send('POST', decomposed, 'Two')).status).toBe(200);
    expect((await send('GET', composed)).body.content).toBe('Two');
    // One that came from elsewhere is found by both, as well.
    await writeFile(join(folder, 'nai\u0308f.md'), 'Three');
    expect((await send('GET', 'na\u00eff.md')).body).toEqual({ filename: 'nai\u0308f.md', content: 'Three' });
  });

  it('both there already are both read and written', async () => {
    await writeFile(join(folder, 'twin.md'), 'small');
    await writeFile(join(folder, 'TWIN.md'), 'large');
    expect((await send('PUT', 'TWIN.md', 'larger')).status).toBe(200);
    expect((await send('GET', 'TWIN.md')).body.content).toBe('larger');
    expect((await send('GET', 'twin.md')).body.content).toBe('small');
  });
});

describe('many at once', () => {
  it('of creations of one name, in any letter case, one succeeds', async () => {
    const writers = Array.from({ length: 24 }, (_, index) => ({
      filename: index % 2 === 0 ? 'race.md' : 'RACE.md',
      content: `${index} `.repeat(2_000),
    }));
    const answers = await Promise.all(writers.map((body) => server.post('/system-prompts', body)));
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(23);
    expect((await send('GET', won[0]?.body.filename)).body).toEqual(won[0]?.body);
  });

  it('readers see one whole text or another', async () => {
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(20_000));
    await send('POST', 'torn.md', texts[0]);
    const writers = Array.from({ length: 40 }, (_, index) => send('PUT', 'torn.md', texts[index % 4]));
    const readers = Array.from({ length: 40 }, () => readFile(join(folder, 'torn.md'), 'utf8'));
    for (const { status } of await Promise.all(writers)) expect(status).toBe(200);
    for (const text of await Promise.all(readers)) expect(texts).toContain(text);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('a change never brings a deleted file back', async () => {
    for (let round = 0; round < 10; round += 1) {
      await send('POST', 'gone.md');
      await Promise.all([send('PUT', 'gone.md'), send('DELETE', 'gone.md'), send('PUT', 'gone.md')]);
      expect(await names()).not.toContain('gone.md');
    }
  });
});
