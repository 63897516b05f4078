import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore, TIME } from '../../test/support/open-test-store.ts';
import { deleteSession } from './clear-session.ts';
import { copyMessages, listPathTo } from './copy-path.ts';
import { insertMessages } from './insert-messages.ts';
import { listTree } from './list-tree.ts';
import {
  deleteMessage,
  findAnswerOfTurn,
  findMessage,
  findUserMessage,
  listPath,
  listPathBackwards,
  markStreamingPartial,
  SYSTEM_DEPTH,
  updateMessage,
} from './messages.ts';
import type { PathPlace } from './path-place.ts';
import { insertToolCalls, listOpenToolCalls, listToolCalls } from './tool-calls.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const ids = (messages: readonly { readonly message_id: string }[]) =>
  messages.map(({ message_id: id }) => id);

/** A session of its own with a system message and the path m0 … m9, in turns of two. */
async function longSession(sessionId: string): Promise<void> {
  await store.addSession(sessionId);
  await insertMessages(store.db, [
    {
      sessionId,
      id: 'system',
      parentId: null,
      depth: SYSTEM_DEPTH,
      active: true,
      role: 'system',
      content: 'Be brief.',
      timestamp: TIME,
      status: 'complete',
    },
  ]);
  let place: PathPlace | null = null;
  for (let number = 0; number < 10; number += 1) {
    place = await store.append(place, `m${number}`, {
      sessionId,
      role: number % 2 === 0 ? 'user' : 'assistant',
      turnId: `turn${number >> 1}`,
    });
  }
}

describe('a message', () => {
  it('comes back as it was written', async () => {
    const content = 'a\u0000b \u{1F361} "quoted" \\ \r\n\t \u2028 é';
    await store.append(null, 'whole', {
      role: 'assistant',
      content,
      thinking: 'hm',
      model: 'qwen3:14b',
      evalCount: 0,
      promptEvalCount: 31,
      finishReason: 'length',
      toolCalls: [{ function: { name: 'look', arguments: { at: ['it', null, 1.5] } } }],
      sourceFile: 'notes.md',
      toolName: 'look',
      toolCallId: 'call_1',
      turnId: 'turn_1',
      images: ['aGk='],
    });
    expect(await findMessage(store.db, 's', 'whole')).toEqual({
      role: 'assistant',
      content,
      thinking: 'hm',
      message_id: 'whole',
      timestamp: TIME,
      model: 'qwen3:14b',
      eval_count: 0,
      prompt_eval_count: 31,
      finish_reason: 'length',
      tool_calls: [{ function: { name: 'look', arguments: { at: ['it', null, 1.5] } } }],
      source_file: 'notes.md',
      tool_name: 'look',
      parent_id: null,
      turn_id: 'turn_1',
      status: 'complete',
      sibling_count: 1,
      sibling_index: 0,
      images: ['aGk='],
      depth: 0,
      active: true,
      toolCallId: 'call_1',
    });
    expect(await findMessage(store.db, 's', 'nobody')).toBeNull();
    expect(await findMessage(store.db, 'nobody', 'whole')).toBeNull();
  });

  it('is changed alone, and only in what is named', async () => {
    await longSession('changed');
    await updateMessage(store.db, 'changed', 'm3', {
      content: 'new',
      thinking: null,
      status: 'partial',
      evalCount: 5,
    });
    await updateMessage(store.db, 'changed', 'm3', { content: 'newer', thinking: null, status: 'complete' });
    expect(await findMessage(store.db, 'changed', 'm3')).toMatchObject({ content: 'newer', eval_count: 5 });
    expect(await findMessage(store.db, 'changed', 'm1')).toMatchObject({ content: 'm1', eval_count: null });
    await deleteMessage(store.db, 'changed', 'm9');
    expect(await findMessage(store.db, 'changed', 'm9')).toBeNull();
    expect(ids(await listPath(store.db, 'changed'))).toHaveLength(10);
  });
});

describe('a path', () => {
  beforeAll(() => longSession('long'));
  const range = async (bounds: Parameters<typeof listPath>[2]) =>
    ids(await listPath(store.db, 'long', bounds));

  it('is read whole, the system message first and parent of the first', async () => {
    const messages = await listPath(store.db, 'long');
    expect(ids(messages)).toEqual(['system', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9']);
    expect(messages[0]).toMatchObject({ parent_id: null, sibling_count: 1 });
  });

  it('is read in stretches, both ends included', async () => {
    expect(await range({ from: 2, to: 4 })).toEqual(['m2', 'm3', 'm4']);
    expect(await range({ from: 8 })).toEqual(['m8', 'm9']);
    expect(await range({ to: 0 })).toEqual(['system', 'm0']);
    expect(await range({ from: SYSTEM_DEPTH, to: SYSTEM_DEPTH })).toEqual(['system']);
    expect(await range({ from: 3, limit: 2 })).toEqual(['m3', 'm4']);
    expect(await range({ from: 10 })).toEqual([]);
  });

  it('is read backwards without the system message', async () => {
    const back = async (to: number, limit: number) =>
      ids(await listPathBackwards(store.db, 'long', { to, limit }));
    expect(await back(9, 3)).toEqual(['m9', 'm8', 'm7']);
    expect(await back(1, 10)).toEqual(['m1', 'm0']);
    expect(await back(SYSTEM_DEPTH, 10)).toEqual([]);
  });

  it('knows its newest user message and the answer of each turn', async () => {
    expect(await findUserMessage(store.db, 'long', 'last')).toMatchObject({ message_id: 'm8' });
    expect(await findAnswerOfTurn(store.db, 'long', 'turn2')).toBe('m5');
    expect(await findAnswerOfTurn(store.db, 'long', 'turn9')).toBeNull();
    expect(await findUserMessage(store.db, 'nobody', 'last')).toBeNull();
  });
});

describe('a tree', () => {
  it('is paged in creation order, branches included', async () => {
    await longSession('tree');
    await store.append({ id: 'm3', depth: 3 }, 'branch', { sessionId: 'tree' });
    const first = await listTree(store.db, 'tree', { afterSeq: 0, limit: 7 });
    const rest = await listTree(store.db, 'tree', { afterSeq: first.at(-1)?.seq ?? 0, limit: 7 });
    expect(ids([...first, ...rest].map(({ message }) => message))).toEqual([
      'system',
      ...Array.from({ length: 10 }, (_, number) => `m${number}`),
      'branch',
    ]);
    expect(rest.at(-1)?.message).not.toHaveProperty('depth');
  });

  it('takes more messages at once than a statement holds', async () => {
    await store.addSession('many');
    await insertMessages(
      store.db,
      Array.from({ length: 1001 }, (_, depth) => ({
        sessionId: 'many',
        id: `m${depth}`,
        parentId: depth === 0 ? null : `m${depth - 1}`,
        depth,
        active: true,
        role: 'user' as const,
        content: '',
        timestamp: TIME,
        status: 'complete' as const,
      })),
    );
    expect(ids(await listPath(store.db, 'many'))).toEqual(
      Array.from({ length: 1001 }, (_, depth) => `m${depth}`),
    );
  });
});

describe('a copy of a path', () => {
  it('is the line to the head with its calls, on its own; what was being written is a part', async () => {
    await longSession('source');
    await store.db.transaction().execute(async (transaction) => {
      await insertToolCalls(transaction, { sessionId: 'source', messageId: 'm1' }, [
        { id: 'call_1', name: 'look', arguments: {} },
      ]);
      await updateMessage(transaction, 'source', 'm3', {
        content: 'm3',
        thinking: null,
        status: 'streaming',
      });
    });
    await store.addSession('copy');
    const path = await listPathTo(store.db, 'source', 'm3');
    expect(path.map(({ id }) => id)).toEqual(['m0', 'm1', 'm2', 'm3']);
    const ids = ['system', ...path.map(({ id }) => id)];
    expect(await copyMessages(store.db, { from: 'source', to: 'copy', ids })).toBe(5);
    const copied = await listPath(store.db, 'copy');
    expect(copied.map(({ message_id: id, status }) => [id, status])).toEqual([
      ['system', 'complete'],
      ['m0', 'complete'],
      ['m1', 'complete'],
      ['m2', 'complete'],
      ['m3', 'partial'],
    ]);
    expect(await listOpenToolCalls(store.db, 'copy')).toEqual([]);
    expect((await listToolCalls(store.db, 'copy', ['m1'])).get('m1')).toMatchObject([{ id: 'call_1' }]);

    expect(await deleteSession(store.db, 'source', Date.now())).toBe('cleared');
    expect(await listPath(store.db, 'source')).toEqual([]);
    expect(await listPath(store.db, 'copy')).toHaveLength(5);
  });
});

describe('messages that were being written', () => {
  it('become parts, in their session alone', async () => {
    await longSession('killed');
    await longSession('alive');
    for (const sessionId of ['killed', 'alive']) {
      await updateMessage(store.db, sessionId, 'm9', {
        content: 'half',
        thinking: null,
        status: 'streaming',
      });
    }
    await markStreamingPartial(store.db, 'killed', 'm9');
    await markStreamingPartial(store.db, 'killed', 'm8');
    expect(await findMessage(store.db, 'killed', 'm9')).toMatchObject({ content: 'half', status: 'partial' });
    expect(await findMessage(store.db, 'killed', 'm8')).toMatchObject({ status: 'complete' });
    expect(await findMessage(store.db, 'alive', 'm9')).toMatchObject({ status: 'streaming' });
  });
});
