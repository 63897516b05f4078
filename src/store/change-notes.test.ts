import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { newSession } from '../../test/support/open-test-store.ts';
import { hideSession, revealSession } from './hidden-sessions.ts';
import { openStore, type Store } from './open-store.ts';
import { insertSession, updateSession } from './sessions.ts';
import { finishTurn, insertTurn, noteLastEvent } from './turns.ts';

let dataDir: string;
let store: Store;
let told: string[];
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-notes-'));
  store = await openStore({ dataDir, exclusive: true });
  told = [];
  store.onChange({
    changed: (changes) => told.push(changes.map(({ kind, id }) => `${kind} ${id}`).join()),
    othersWrote: () => told.push('others'),
  });
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true });
});

const newTurn = (id: string, sessionId: string) => ({
  id,
  sessionId,
  state: 'running' as const,
  createdAt: '2026-01-01T00:00:00.000000Z',
  request: null,
  userMessageId: null,
  idempotency: null,
  isStructured: false,
});

it('tells a change once it is committed, and each thing once', async () => {
  await store.db.transaction().execute(async (db) => {
    await insertSession(db, newSession('a'));
    await updateSession(db, 'a', { title: 'A' });
    await insertTurn(db, newTurn('turn_a', 'a'));
    expect(told).toEqual([]);
  });
  expect(told).toEqual(['session a,turn turn_a']);
});

it('tells what lists show, and nothing else', async () => {
  await insertSession(store.db, newSession('a'));
  await insertTurn(store.db, newTurn('turn_a', 'a'));
  told.length = 0;
  await updateSession(store.db, 'a', { preview: 'Hello', metadata: { a: 1 } });
  await noteLastEvent(store.db, 'turn_a', 7);
  expect(told).toEqual([]);
  await finishTurn(store.db, 'turn_a', {
    state: 'completed',
    finishedAt: '2026-01-01T00:00:00.000000Z',
    error: null,
    messageId: null,
    usage: null,
    lastEventId: 9,
  });
  expect(told).toEqual(['session a,turn turn_a']);
});

it('tells nothing of what was rolled back', async () => {
  const failing = store.db.transaction().execute(async (db) => {
    await insertSession(db, newSession('a'));
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(told).toEqual([]);
});

it('tells a session when it comes in sight and when it goes, and not what happens out of sight', async () => {
  await insertSession(store.db, newSession('a'));
  told.length = 0;
  await hideSession(store.db, 'a', 'deleted', 1);
  expect(told).toEqual(['session a']);
  await updateSession(store.db, 'a', { title: 'Out of sight' });
  await insertTurn(store.db, newTurn('turn_a', 'a'));
  expect(told).toEqual(['session a']);
  await revealSession(store.db, 'a');
  expect(told).toEqual(['session a', 'session a']);
});

it('tells nothing of the chats of agents, which lists leave out', async () => {
  await insertSession(store.db, newSession('a', { kind: 'agent' }));
  await insertTurn(store.db, newTurn('turn_a', 'a'));
  await updateSession(store.db, 'a', { title: 'A' });
  await hideSession(store.db, 'a', 'deleted', 1);
  expect(told).toEqual([]);
});

it('tells that others have written, once, and not that the file was rewritten for this process', async () => {
  store.lookForOthers();
  expect(told).toEqual([]);
  const write = async (id: string) => {
    const other = await openStore({ dataDir, exclusive: false });
    await insertSession(other.db, newSession(id));
    await other.close();
  };
  await write('a');
  store.lookForOthers();
  store.lookForOthers();
  expect(told).toEqual(['others']);
  await store.guard.whileRewritten(() => write('b'));
  store.lookForOthers();
  expect(told).toEqual(['others']);
  await insertSession(store.db, newSession('c'));
  store.lookForOthers();
  expect(told).toEqual(['others', 'session c']);
});
