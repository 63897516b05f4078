// System prompt files in PostgreSQL: what the folder promises, for all servers of the database.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectError } from '../api/wire-formats.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
let other: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  other = await startTestServer({ dataDir: server.dataDir });
});
afterAll(async () => {
  await other.close();
  await server.close();
});

const path = (name: string) => `/system-prompts/${encodeURIComponent(name)}`;

it('are created, listed, read, changed and deleted by any of them, and are no files', async () => {
  const content = 'Be brief.\u0000 Ünïcode.';
  expect((await server.post('/system-prompts', { filename: 'brief.md', content })).status).toBe(201);
  expect((await other.get(path('brief.md'))).body).toEqual({ filename: 'brief.md', content });
  expect((await other.request('PUT', path('brief.md'), { content: 'Be briefer.' })).status).toBe(200);
  expect((await server.get('/system-prompts')).body.prompts).toEqual([
    { filename: 'brief.md', preview: 'Be briefer.', word_count: 2 },
  ]);
  expect(existsSync(join(server.dataDir, 'system_prompts'))).toBe(false);
  const sessionId = await other.createSession({ system_prompt_source_file: 'brief.md' });
  expect((await server.messages(sessionId))[0]).toMatchObject({ role: 'system', content: 'Be briefer.' });
  expect((await server.request('DELETE', path('brief.md'))).status).toBe(204);
  expectError(await other.get(path('brief.md')), 404, 'prompt_not_found');
  expectError(await other.request('PUT', path('brief.md'), { content: 'x' }), 404, 'prompt_not_found');
});

it('have a name once, however many servers and letters of another case ask for it at once', async () => {
  const names = ['Once.md', 'once.md', 'ONCE.md', 'once.md', 'oncE.md', 'once.md'];
  const answers = await Promise.all(
    names.map((filename, index) =>
      (index % 2 === 0 ? server : other).post('/system-prompts', { filename, content: 'Said once.' }),
    ),
  );
  const created = answers.filter(({ status }) => status === 201);
  expect([created.length, answers.filter(({ status }) => status === 409).length]).toEqual([1, 5]);
  expect((await server.get('/system-prompts')).body.prompts).toHaveLength(1);
});
