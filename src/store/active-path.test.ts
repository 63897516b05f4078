import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore, TIME } from '../../test/support/open-test-store.ts';
import { moveHead, refreshPreview } from './active-path.ts';
import { listTree } from './list-tree.ts';
import { findMessage, listPath } from './messages.ts';
import type { PathPlace } from './path-place.ts';
import { findSession } from './sessions.ts';

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const LATER = '2026-02-15T10:00:00.000000Z';
const path = async () => (await listPath(store.db, 's')).map(({ message_id: id }) => id);
const session = () => findSession(store.db, 's');
const preview = async () =>
  (await store.db.selectFrom('sessions').select('preview').where('id', '=', 's').executeTakeFirstOrThrow())
    .preview;

/** a ─ b ─ c, and d beside c: the path is a b d. */
async function branched() {
  const a = await store.append(null, 'a');
  const b = await store.append(a, 'b', { role: 'assistant' });
  const c = await store.append(b, 'c');
  const d = await store.append(b, 'd');
  return { a, b, c, d };
}

describe('appending', () => {
  it('goes on after the parent and makes the new message the head', async () => {
    const a = await store.append(null, 'a');
    const b = await store.append(a, 'b', { timestamp: LATER });
    expect([a, b]).toEqual([
      { id: 'a', depth: 0, at: TIME },
      { id: 'b', depth: 1, at: LATER },
    ]);
    expect(await path()).toEqual(['a', 'b']);
    expect(await session()).toMatchObject({ headId: 'b', headDepth: 1, message_count: 2, updated_at: LATER });
  });

  it('after an inner message leaves what followed in the tree', async () => {
    await branched();
    expect(await path()).toEqual(['a', 'b', 'd']);
    const tree = await listTree(store.db, 's', { afterSeq: 0, limit: 10 });
    expect(tree.map(({ message }) => [message.message_id, message.parent_id, message.active])).toEqual([
      ['a', null, true],
      ['b', 'a', true],
      ['c', 'b', false],
      ['d', 'b', true],
    ]);
  });

  it('at the start begins another tree beside the first', async () => {
    await branched();
    await store.append(null, 'x');
    expect(await path()).toEqual(['x']);
    expect(await findMessage(store.db, 's', 'x')).toMatchObject({ parent_id: null, sibling_count: 2 });
  });

  it('touches no other session, not even one with the same message ids', async () => {
    await branched();
    await store.addSession('other');
    const a = await store.append(null, 'a', { sessionId: 'other', content: 'other a' });
    await store.append(a, 'b', { sessionId: 'other', content: 'other b' });
    await store.append(null, 'z', { sessionId: 'other' });
    expect(await path()).toEqual(['a', 'b', 'd']);
    expect(await findMessage(store.db, 's', 'a')).toMatchObject({ content: 'a', sibling_count: 1 });
  });

  it('refuses a second message with the id of another', async () => {
    const a = await store.append(null, 'a');
    await expect(store.append(a, 'a')).rejects.toThrow(/unique/i);
  });
});

describe('siblings', () => {
  it('are the messages with the same parent', async () => {
    const { b } = await branched();
    await store.append(b, 'e');
    const count = async (id: string) => (await findMessage(store.db, 's', id))?.sibling_count;
    expect([
      await count('a'),
      await count('b'),
      await count('c'),
      await count('d'),
      await count('e'),
    ]).toEqual([1, 1, 3, 3, 3]);
  });
});

describe('moving the head', () => {
  it('to another branch shows that branch, and back', async () => {
    const { c, d } = await branched();
    await moveHead(store.db, 's', c, LATER);
    expect(await path()).toEqual(['a', 'b', 'c']);
    expect(await session()).toMatchObject({ headId: 'c', headDepth: 2, updated_at: LATER });
    await moveHead(store.db, 's', d, LATER);
    expect(await path()).toEqual(['a', 'b', 'd']);
  });

  it('to an inner message ends the path there', async () => {
    const { a, c } = await branched();
    await moveHead(store.db, 's', a, LATER);
    expect(await path()).toEqual(['a']);
    expect(await session()).toMatchObject({ headId: 'a', headDepth: 0, message_count: 1 });
    await moveHead(store.db, 's', c, LATER);
    expect(await path()).toEqual(['a', 'b', 'c']);
  });

  it('to the head itself changes nothing but the time', async () => {
    const { d } = await branched();
    await moveHead(store.db, 's', d, LATER);
    expect(await path()).toEqual(['a', 'b', 'd']);
    expect(await session()).toMatchObject({ headId: 'd', headDepth: 2, updated_at: LATER });
  });

  it('to nothing empties the path, and a message can begin it again', async () => {
    const { c } = await branched();
    await moveHead(store.db, 's', null, LATER);
    expect(await path()).toEqual([]);
    expect(await session()).toMatchObject({ headId: null, headDepth: -1, message_count: 0 });
    expect(await preview()).toBeNull();
    await moveHead(store.db, 's', c, LATER);
    expect(await path()).toEqual(['a', 'b', 'c']);
  });

  it('leaves the system message where it is', async () => {
    await branched();
    await store.db
      .updateTable('messages')
      .set({ depth: -1, parent_id: null, role: 'system' })
      .where('id', '=', 'c')
      .execute();
    await store.db.updateTable('messages').set({ active: 1 }).where('id', '=', 'c').execute();
    await moveHead(store.db, 's', null, LATER);
    expect(await path()).toEqual(['c']);
    await store.append(null, 'x');
    expect(await path()).toEqual(['c', 'x']);
  });
});

describe('the preview', () => {
  it('is the first user message of the active path', async () => {
    const a = await store.append(null, 'a', { role: 'assistant' });
    expect(await preview()).toBeNull();
    const b = await store.append(a, 'b');
    await store.append(b, 'c');
    expect(await preview()).toBe('b');
    const other = await store.append(a, 'other');
    expect(await preview()).toBe('other');
    await moveHead(store.db, 's', b, LATER);
    expect(await preview()).toBe('b');
    await moveHead(store.db, 's', other, LATER);
    expect(await preview()).toBe('other');
  });

  it.each([
    ['exactly a hundred', 'x'.repeat(100), 'x'.repeat(100)],
    ['one more', 'x'.repeat(101), `${'x'.repeat(97)}...`],
    ['a hundred outside the basic plane', '🍡'.repeat(100), '🍡'.repeat(100)],
    ['more of those', '🍡'.repeat(101), `${'🍡'.repeat(97)}...`],
    ['a mixture', `x${'🍡'.repeat(100)}`, `x${'🍡'.repeat(96)}...`],
    ['very many', 'long '.repeat(100_000), `${'long '.repeat(20).slice(0, 97)}...`],
  ])('is cut after a hundred characters: %s', async (_, content, shown) => {
    await store.append(null, 'a', { content });
    expect(await preview()).toBe(shown);
    await refreshPreview(store.db, 's');
    expect(await preview()).toBe(shown);
  });
});

describe('whatever is done to a tree', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('append' as const), at: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('move' as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), at: fc.nat() }) },
  );

  it('the path is the line from the root to the head', async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        runs += 1;
        const sessionId = `s${runs}`;
        await store.addSession(sessionId);
        // The tree as plain data: each message with the line that leads to it.
        const lines: PathPlace[][] = [];
        let current: readonly PathPlace[] = [];
        for (const { type, at } of actions) {
          if (type === 'append') {
            // Anywhere on the path, its start included.
            const kept: readonly PathPlace[] = current.slice(0, at % (current.length + 1));
            const place = await store.append(kept.at(-1) ?? null, `m${lines.length}`, { sessionId });
            current = [...kept, place];
            lines.push([...current]);
          } else {
            current = type === 'clear' ? [] : (lines[at % Math.max(lines.length, 1)] ?? []);
            await moveHead(store.db, sessionId, current.at(-1) ?? null, LATER);
          }
          const shown = await listPath(store.db, sessionId);
          expect(shown.map(({ message_id: id, depth, timestamp: at }) => ({ id, depth, at }))).toEqual(
            current,
          );
          const stored = await findSession(store.db, sessionId);
          expect([stored?.headId, stored?.headDepth]).toEqual([
            current.at(-1)?.id ?? null,
            current.length - 1,
          ]);
        }
        const tree = await listTree(store.db, sessionId, { afterSeq: 0, limit: 100 });
        for (const [index, { message }] of tree.entries()) {
          expect(message.parent_id).toBe(lines[index]?.at(-2)?.id ?? null);
          const isSibling = (line: PathPlace[]) => (line.at(-2)?.id ?? null) === message.parent_id;
          expect(message.sibling_count).toBe(lines.filter(isSibling).length);
        }
      }),
      { numRuns: 40 },
    );
  });
});
