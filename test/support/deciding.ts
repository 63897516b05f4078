// Approvals in tests: what a turn asks, and decisions about it.
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { TestClient } from './test-client.ts';

/** The undecided approvals of a session, the oldest first, once there are so many. */
export async function askedOf(server: TestClient, sessionId: string, count = 1): Promise<any[]> {
  return eventually(
    async () => {
      const { body } = await server.get(`/approvals?session_id=${sessionId}`);
      expect(body.approvals).toHaveLength(count);
      return body.approvals;
    },
    { timeout: 20_000 },
  );
}

/** Decides one, and expects that it could. */
export async function decide(
  server: TestClient,
  id: string,
  decision: Record<string, unknown>,
): Promise<void> {
  const { status, body } = await server.post(`/approvals/${id}/decide`, decision);
  if (status !== 200) throw new Error(`not decided: ${status} ${JSON.stringify(body)}`);
}

/** Resolves when a turn waits for the call of this index: those before it have their results, and it was asked about. */
export async function waitsAt(server: TestClient, sessionId: string, callIndex: number): Promise<void> {
  await eventually(async () => {
    const { turns } = (await server.get(`/sessions/${sessionId}/turns`)).body;
    expect(turns[0].state).toBe('waiting');
    const results = (await server.messages(sessionId)).filter(({ role }) => role === 'tool');
    expect(results).toHaveLength(callIndex);
  });
}
