// JSON in a row that was damaged since it was written: told as what it is, and only where it is.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('damaged JSON in a row', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const damaged = {
    status: 500,
    body: { detail: { error: { code: 'session_load_error', details: { reason: 'damaged_json' } } } },
  };

  const change = (script: string) => {
    const driver = new SqliteDriver(join(server.dataDir, 'mochi.db'));
    driver.exec(script);
    driver.close();
  };

  it.each([
    ['session_rows', 'metadata', ['', '/export?format=json', '/status']],
    ['session_rows', 'tool_settings', ['', '/status']],
    ['session_rows', 'context_window', ['', '/export?format=json']],
    ['session_rows', 'summary', ['', '/summary']],
    ['messages', 'tool_calls', ['/messages', '']],
    ['messages', 'images', ['/messages']],
    ['turns', 'error', ['/turns']],
    ['turns', 'usage', ['/turns']],
    ['turns', 'context', ['/turns']],
  ])('%s.%s', async (table, column, paths) => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello' });
    const key = table === 'session_rows' ? 'id' : 'session_id';
    change(`update ${table} set ${column} = '{"cut": [1, 2' where ${key} = '${sessionId}'`);
    for (const path of paths) {
      expect(await server.get(`/sessions/${sessionId}${path}`), path).toMatchObject(damaged);
    }
    expect((await server.request('DELETE', `/sessions/${sessionId}`)).status).toBe(204);
    expect((await server.get(`/sessions/${sessionId}`)).status).toBe(404);
    const other = await server.createSession();
    expect((await server.get(`/sessions/${other}`)).status).toBe(200);
  });
});
