// Forty requests at once on one session, of all kinds: nobody hears of a fault, and what is left is whole.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf, readStore } from '../support/read-store.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { type Action, actions, answerByText, deletion, perform } from './actions.ts';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';
import { promptFaults } from './prompt-faults.ts';
import { treeFaults } from './tree-faults.ts';

const IDLE = { timeout: 10_000, interval: 10 };

describe('forty at once', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    server.ollama.setDefault(answerByText);
  });
  afterAll(() => server.close());

  /** Messages to go back to, in no round of tools: a path must not end inside of one. */
  async function placesOf(sessionId: string): Promise<string[]> {
    const { body } = await server.get(`/sessions/${sessionId}/tree`);
    const messages: { role: string; message_id: string; tool_calls: unknown }[] = body.messages;
    return messages
      .filter(({ role, tool_calls: calls }) => role !== 'tool' && calls === null)
      .map(({ message_id: id }) => id);
  }

  async function performAll(sessionId: string, batch: readonly Action[]): Promise<void> {
    const ids = await placesOf(sessionId);
    server.ollama.requests.length = 0;
    await Promise.all(batch.map((action) => perform(server, sessionId, { action, ids })));
    await expect.poll(() => unfinished(server), IDLE).toEqual([]);
    for (const { body } of server.ollama.requestsTo('/api/chat')) {
      expect(promptFaults(body?.messages ?? [])).toEqual([]);
    }
    expect(faultsOf(await readStore(server.dataDir))).toEqual([]);
  }

  const batches = fc.array(actions, { minLength: 40, maxLength: 40 });

  it('leave whole trees', async () => {
    await fc.assert(
      fc.asyncProperty(batches, batches, async (first, second) => {
        const sessionId = await server.createSession({ system_prompt: 'Be brief.' });
        await server.chat(sessionId, { message: 'quick' });
        await performAll(sessionId, first);
        await performAll(sessionId, second);
        const { body } = await server.get('/sessions?limit=1000');
        const faults = body.sessions.map((session: { session_id: string }) =>
          treeFaults(server, session.session_id),
        );
        expect((await Promise.all(faults)).flat()).toEqual([]);
        // Forks would make every round slower than the one before.
        for (const session of body.sessions)
          await server.request('DELETE', `/sessions/${session.session_id}`);
      }),
      { ...fuzzRuns(3), endOnFailure: true },
    );
  });

  it('and a deletion among them leave nothing', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(39), async (batch, at) => {
        const sessionId = await server.createSession();
        await server.chat(sessionId, { message: 'quick' });
        await performAll(sessionId, batch.toSpliced(at, 1, deletion));
        expect((await server.get(`/sessions/${sessionId}`)).status).toBe(404);
        const { messages, turns, toolCalls } = await readStore(server.dataDir, sessionId);
        expect([messages, turns, toolCalls]).toEqual([[], [], []]);
      }),
      { ...fuzzRuns(5), endOnFailure: true },
    );
  });

  it('leave the engine alone in the end', async () => {
    await expect.poll(() => server.ollama.openSockets, { timeout: 15_000, interval: 50 }).toBe(0);
  });
});

async function unfinished(server: TestServer): Promise<unknown[]> {
  return (await readStore(server.dataDir)).turns.filter(({ finished_at: end }) => end === null);
}
