// What must hold after a kill and a new start on the same folder.
import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { readEvents, type StreamedEvent } from '../support/read-events.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { searchIndexFaults } from '../support/search-index-faults.ts';
import type { TestClient } from '../support/test-client.ts';
import type { Ledger, ToldTurn } from './ledger.ts';

const FINAL_STATES = ['completed', 'failed', 'cancelled', 'interrupted'];

/** Everything that was promised is there, nothing is open, turns have an end that can be watched, sessions chat on. */
export async function expectWhole(client: TestClient, dataDir: string, ledger: Ledger): Promise<void> {
  const rows = await readStore(dataDir);
  expect(faultsOf(rows)).toEqual([]);
  expect(searchIndexFaults(dataDir)).toEqual([]);
  expect(ledger.broken(rows)).toEqual([]);

  for (const turn of ledger.turns.values()) {
    // Those that had ended before were looked at before.
    if (turn.state === null) await expectClosed(client, turn);
  }
  const key = ledger.keys.at(-1);
  if (key !== undefined) await expectJoined(client, key);
  for (const sessionId of ledger.sessions) await expectShown(client, sessionId, ledger);

  // One of them: the load that follows goes on with the others.
  const sessionIds = [...ledger.sessions];
  const sessionId = sessionIds[randomInt(sessionIds.length || 1)];
  if (sessionId !== undefined) await expectUsable(client, sessionId);
}

/** What the clients see is what the rows say: complete, connected, at rest. */
async function expectShown(client: TestClient, sessionId: string, ledger: Ledger): Promise<void> {
  const { body: session } = await client.get(`/sessions/${sessionId}`);
  expect(session.active_turn).toBeNull();
  const { body: tree } = await client.get(`/sessions/${sessionId}/tree`);
  const shown = new Map<string, any>(tree.messages.map((message: any) => [message.message_id, message]));
  for (const message of shown.values()) {
    expect(message.status).toMatch(/^(complete|partial)$/);
    if (message.parent_id !== null) expect(shown.has(message.parent_id)).toBe(true);
  }
  for (const { messageId, content, turnId } of ledger.messagesOf(sessionId)) {
    if (turnId === null) expect(shown.get(messageId)?.content).toBe(content);
  }
  const path: unknown[] = session.messages.map(({ message_id }: { message_id: string }) => message_id);
  expect(path.at(-1) ?? null).toBe(tree.head);
}

/** Watched from the start and from where its client was: the same end, once, after what was seen. */
async function expectClosed(client: TestClient, told: ToldTurn): Promise<void> {
  const { status, body: turn } = await client.get(`/turns/${told.turnId}`);
  expect([status, turn.session_id]).toEqual([200, told.sessionId]);
  expect(FINAL_STATES).toContain(turn.state);
  if (turn.state === 'interrupted') expect(turn.error.code).toBe('turn_interrupted');

  const fromStart = await watch(client, told.turnId, 0);
  expect(fromStart.map(({ event }) => event)[0]).toBe('snapshot');
  const rest = await watch(client, told.turnId, told.lastEventId);
  for (const events of [fromStart, rest]) {
    expect(events.filter(({ event }) => event === 'done')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ event: 'done', data: { state: turn.state } });
    const ids = events.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((left, right) => left - right));
    expect(ids.at(-1)).toBe(turn.last_event_id);
  }
  expect(rest[0]?.id).toBeGreaterThan(told.lastEventId);
  told.state = turn.state;
  told.lastEventId = turn.last_event_id;
}

async function watch(client: TestClient, turnId: string, after: number): Promise<StreamedEvent[]> {
  const response = await fetch(`${client.url}/api/v1/turns/${turnId}/stream`, {
    headers: after === 0 ? {} : { 'last-event-id': String(after) },
  });
  expect(response.status).toBe(200);
  return Array.fromAsync(readEvents(response));
}

/** The request that is repeated after the restart joins its turn, which does not run again. */
async function expectJoined(client: TestClient, told: Ledger['keys'][number]): Promise<void> {
  const path = `/chat/${told.sessionId}/stream`;
  const stream = await client.stream(path, told.body, { 'idempotency-key': told.key });
  expect([stream.status, stream.headers.get('x-turn-id')]).toEqual([200, told.turnId]);
  expect((await stream.all()).at(-1)?.event).toBe('done');
}

/** The strict engine accepts the history, and the path grows by the question and its answer. */
async function expectUsable(client: TestClient, sessionId: string): Promise<void> {
  const before = await client.messages(sessionId);
  await client.chat(sessionId, { message: `plain, after ${before.length} messages` });
  const after = await client.messages(sessionId);
  expect(after.slice(0, before.length).map(withoutSiblings)).toEqual(before.map(withoutSiblings));
  expect(after.slice(before.length).map(({ role }) => role)).toEqual(['user', 'assistant']);
}

function withoutSiblings({
  sibling_count: _count,
  sibling_index: _index,
  ...message
}: Record<string, unknown>): object {
  return message;
}
