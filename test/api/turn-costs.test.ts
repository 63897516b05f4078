// What a turn costs, in counts that no noise touches. A count that grows is a change that somebody made: is it a wish?
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { everyMs, script } from '../fake-ollama/script-modifiers.ts';
import { countStatements } from '../support/count-statements.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

/** A page and its header. */
const FRAME_BYTES = 4096 + 24;

describe('a streamed turn of one answer', () => {
  let server: TestServer;
  let sessionId: string;
  beforeAll(async () => {
    server = await startTestServer();
    sessionId = await server.createSession();
  });
  afterAll(() => server.close());

  async function streamTurn(): Promise<void> {
    const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
    await stream.all();
  }

  /** On a slow machine there are more checkpoints than the first. */
  function withoutLaterCheckpoints(statements: readonly string[]): string[] {
    const later =
      /(?<=^|\n)begin immediate\nupdate "messages" [^\n]*\nupdate "turns" [^\n]*\ncommit(?:\n|$)/g;
    return statements.join('\n').replace(later, '').trimEnd().split('\n');
  }

  it('asks 18 statements of SQLite at most, where its text is stored before it is complete', async () => {
    server.ollama.reply(text('Before.'), script(text('One', 'two', '.'), everyMs(150)));
    await streamTurn();
    const statements = withoutLaterCheckpoints(await countStatements(streamTurn));
    expect(statements.filter((statement) => statement.startsWith('begin'))).toHaveLength(3);
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(18);
  });

  it.each([
    ['22 pages', 'whose answer is complete before any of it is stored', 22, text('Fine, ', 'thank you.')],
    [
      '24 pages',
      'whose text is stored before it is complete',
      24,
      script(text('One', 'two', '.'), everyMs(50)),
    ],
  ])('writes %s to the log at most, %s', async (_, __, most, answer) => {
    const log = join(server.dataDir, 'mochi.db-wal');
    const counts: number[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      server.ollama.reply(answer);
      const before = statSync(log).size;
      await streamTurn();
      counts.push((statSync(log).size - before) / FRAME_BYTES);
    }
    // More where a page became full, or there was another checkpoint; the log begins anew now and then.
    expect(Math.min(...counts.filter((count) => count > 0))).toBeLessThanOrEqual(most);
  });
});
