import { afterEach, beforeEach, expect, it } from 'vitest';
import { countStatements } from '../../../test/support/count-statements.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { openTestStore, type TestStore, TIME } from '../../../test/support/open-test-store.ts';
import { RECEIPT_EXAMPLE } from '../../contract/context-window.ts';
import { findMessage } from '../../store/messages.ts';
import { Checkpoints } from './checkpoints.ts';
import { Draft } from './draft.ts';

let store: TestStore;
let checkpoints: Checkpoints;
beforeEach(async () => {
  store = await openTestStore();
  checkpoints = new Checkpoints(store.db);
});
afterEach(() => store.close());

/** A session with a question that the draft answers. */
async function newDraft(sessionId: string): Promise<Draft> {
  await store.addSession(sessionId);
  const parent = await store.append(null, 'question', { sessionId });
  return new Draft({
    checkpoints,
    sessionId,
    turnId: `turn_${sessionId}`,
    messageId: 'answer',
    model: 'llama3.2:latest',
    timestamp: TIME,
    parent,
    tenure: null,
    told: { lastEventId: 1 },
    receipt: RECEIPT_EXAMPLE,
  });
}

function add(draft: Draft, text: string): void {
  draft.content += text;
  draft.touch();
}

const stored = async (draft: Draft) =>
  (await findMessage(store.db, draft.options.sessionId, 'answer'))?.content ?? null;

it('stores the first text of each draft at once, and what follows within about a second', async () => {
  const drafts = await Promise.all(Array.from({ length: 70 }, (_, index) => newDraft(`s${index}`)));
  const statements = await countStatements(async () => {
    for (const draft of drafts) add(draft, 'one ');
    await eventually(() => expect(drafts.every(({ place }) => place?.depth === 1)).toBe(true));
  });
  // They share transactions, of 8 each.
  expect(statements.filter((statement) => statement === 'commit')).toHaveLength(9);
  for (const draft of drafts) add(draft, 'two');
  await eventually(async () => {
    for (const draft of drafts) expect(await stored(draft)).toBe('one two');
  });
  await Promise.all(drafts.map((draft) => draft.close()));
});

it('stores a very long text less often: not again for a few more words', async () => {
  const [long, short] = [await newDraft('long'), await newDraft('short')];
  const text = 'x'.repeat(10_000_000);
  add(long, text);
  add(short, 'one ');
  await eventually(() => expect([long.place, short.place]).not.toContain(null));
  add(long, 'word');
  add(short, 'two');
  await eventually(async () => expect(await stored(short)).toBe('one two'));
  // Whatever is due is written at the same time.
  expect((await stored(long))?.length).toBe(text.length);
  add(long, text);
  add(short, ' three');
  await eventually(async () => expect(await stored(short)).toBe('one two three'));
  await eventually(async () => expect((await stored(long))?.length).toBe(2 * text.length + 4));
  await Promise.all([long.close(), short.close()]);
});

it('writes nothing more of a draft once it is closed', async () => {
  const [closedAtOnce, closedWhileWritten] = [await newDraft('a'), await newDraft('b')];
  add(closedWhileWritten, 'kept');
  await eventually(() => expect(closedWhileWritten.place).not.toBeNull());
  add(closedAtOnce, 'never');
  await closedAtOnce.close();
  add(closedWhileWritten, ' on');
  await closedWhileWritten.close();
  await store.append(null, 'later', { sessionId: 'b' });
  expect([closedAtOnce.place, await stored(closedAtOnce)]).toEqual([null, null]);
  expect(await stored(closedWhileWritten)).toBe('kept');
});

it('tells the one draft that cannot be written, and stores the others', async () => {
  const [good, bad] = [await newDraft('good'), await newDraft('bad')];
  await store.db.deleteFrom('session_rows').where('id', '=', 'bad').execute();
  add(bad, 'lost');
  add(good, 'kept');
  await eventually(() => expect(good.place).not.toBeNull());
  await eventually(() => expect(() => bad.touch()).toThrow(/constraint/i));
  expect(await stored(good)).toBe('kept');
  await Promise.all([good.close(), bad.close()]);
});
