// Another program writes to the database: requests that write wait without holding the others, then are told.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError } from './wire-formats.ts';

let server: TestServer;
/** The other program. */
let other: SqliteDriver.Database;
beforeAll(async () => {
  server = await startTestServer();
  other = new SqliteDriver(join(server.dataDir, 'mochi.db'));
});
afterAll(async () => {
  other.close();
  await server.close();
});

describe('while another program writes', () => {
  it('a chat waits, the server answers, and the chat goes on when the other has ended', async () => {
    const sessionId = await server.createSession();
    other.exec('begin immediate');
    const chat = server.post(`/chat/${sessionId}`, { message: 'Hello?' });
    // As soon as it is there, it waits.
    await server.get('/livez');
    for (let count = 0; count < 20; count += 1) expect((await server.get('/livez')).status).toBe(200);
    const state = await Promise.race([chat.then(() => 'answered'), Promise.resolve('waiting')]);
    other.exec('commit');
    expect(state).toBe('waiting');
    expect((await chat).status).toBe(200);
    expect(await server.messages(sessionId)).toHaveLength(2);
  });

  it('and does not end, writers are told to try again', async () => {
    const sessionId = await server.createSession();
    other.exec('begin immediate');
    const chat = await server.post(`/chat/${sessionId}`, { message: 'Hello?' });
    other.exec('commit');
    expect(expectError(chat, 503, 'database_busy')).toMatchObject({ reason: 'sqlite_busy' });
    expect(chat.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await server.messages(sessionId)).toEqual([]);
    expect((await server.post(`/chat/${sessionId}`, { message: 'Hello?' })).status).toBe(200);
  });
});
