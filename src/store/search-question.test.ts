// When the words of a question come into the search index: with those of its answer, and never later than its turn ends.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore, TIME } from '../../test/support/open-test-store.ts';
import { planOf } from '../../test/support/plan-of.ts';
import { searchIndexFaults } from '../../test/support/search-index-faults.ts';
import { listChildren } from './children.ts';
import { findEndOfAnswer } from './client-ids.ts';
import { copyMessages } from './copy-path.ts';
import { listSessions } from './list-sessions.ts';
import { listTree } from './list-tree.ts';
import { findMessage, updateMessage } from './messages.ts';
import { search } from './search.ts';
import { parseSearch } from './search-query.ts';
import { findNewestLeaf, listSiblings } from './siblings.ts';
import { finishTurn, insertTurn, noteAnswer, noteLastEvent } from './turns.ts';

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

async function startTurn(state: 'queued' | 'running' = 'running'): Promise<void> {
  await insertTurn(store.db, {
    id: 'turn_1',
    sessionId: 's',
    state,
    createdAt: TIME,
    request: null,
    userMessageId: 'asked',
    idempotency: null,
    isStructured: false,
  });
  await store.append(null, 'asked', { content: 'All about quokkas', turnId: 'turn_1' });
}

async function endTurn(): Promise<void> {
  await finishTurn(store.db, 'turn_1', {
    state: 'interrupted',
    finishedAt: TIME,
    error: null,
    messageId: null,
    usage: null,
    lastEventId: 9,
  });
}

async function found(word = 'quokkas'): Promise<string[]> {
  const query = parseSearch(word);
  if (query === null) throw new Error('no query');
  const { results } = await search(store.db, query, { limit: 10, after: null, includesAgents: false });
  return results.map(({ session_id: session, message_id: id }) => `${session} ${id}`);
}

describe('the words of a question', () => {
  it.each(['queued', 'running'] as const)('are found when its %s turn has ended, however', async (state) => {
    await startTurn(state);
    expect(await found()).toEqual([]);
    await endTurn();
    expect(await found()).toEqual(['s asked']);
    await endTurn();
    expect(searchIndexFaults(store.dataDir)).toEqual([]);
  });

  it('are found before, when its answer is long', async () => {
    await startTurn();
    await noteAnswer(store.db, 'turn_1', { messageId: 'answer', context: {} as never });
    expect(await found()).toEqual([]);
    await noteLastEvent(store.db, 'turn_1', 30);
    await noteLastEvent(store.db, 'turn_1', 40);
    expect(await found()).toEqual(['s asked']);
    await endTurn();
    expect(searchIndexFaults(store.dataDir)).toEqual([]);
  });

  it('are found before, when it waits for a person', async () => {
    await startTurn();
    await store.db.updateTable('turns').set({ state: 'waiting' }).where('id', '=', 'turn_1').execute();
    expect(await found()).toEqual(['s asked']);
  });

  it('are found in a copy, and as they were changed, while the turn runs', async () => {
    await startTurn();
    await store.addSession('copy');
    await copyMessages(store.db, { from: 's', to: 'copy', ids: ['asked'] });
    expect(await found()).toEqual(['copy asked']);
    await updateMessage(store.db, 's', 'asked', { content: 'A wombat', thinking: null, status: 'complete' });
    expect(await found('wombat')).toEqual(['s asked']);
    await endTurn();
    expect(searchIndexFaults(store.dataDir)).toEqual([]);
  });

  it('are gone with a question that was taken back', async () => {
    await startTurn();
    await store.db.deleteFrom('messages').where('id', '=', 'asked').execute();
    await endTurn();
    expect(await found()).toEqual([]);
    expect(searchIndexFaults(store.dataDir)).toEqual([]);
  });
});

describe('one index serves the path, and what stands beside it', () => {
  it('finds siblings without looking at others', async () => {
    const plans = await planOf(store.dataDir, async (db) => {
      await findMessage(db, 's', 'm');
      await listSiblings(db, 's', 'm');
      await listChildren(db, 's', { id: 'm', depth: 0 });
      await findNewestLeaf(db, 's', 'm');
      await findEndOfAnswer(db, 's', { id: 'm', depth: 0 });
      await listTree(db, 's', { afterSeq: 0, limit: 10 });
    });
    expect(plans).not.toMatch(/messages_order \(session_id=\?\)/);
    const exact = /messages_path \(session_id=\? AND active=\? AND depth=\? AND parent_id=\?\)/g;
    expect(plans.match(exact)).toHaveLength(6);
  });

  it('merges chats, unlisted ones and agent chats in the order of their indexes', async () => {
    for (const id of ['a', 'c']) await store.addSession(id, { kind: 'agent', agentName: 'x' });
    for (const id of ['b', 'd']) await store.addSession(id, { isListed: false });
    const scope = { after: null, includesAgents: true, includesUnlisted: true };
    const plan = await planOf(store.dataDir, (db) => listSessions(db, { ...scope, limit: 4 }));
    for (const kind of ['chats', 'unlisted', 'agents']) expect(plan).toContain(`session_rows_${kind}`);
    // Of the turn that holds a session, in each of them.
    expect(plan.match(/TEMP B-TREE/g)).toHaveLength(3);
    const rows = await listSessions(store.db, { ...scope, limit: 4 });
    expect(rows.map(({ session_id: id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });
});
