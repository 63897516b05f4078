// Sessions that nobody has asked for by name, and names of clients: where they are seen, and how they go.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestStore, type TestStore, TIME } from '../../test/support/open-test-store.ts';
import { deleteSession } from './clear-session.ts';
import { findLongestMark, insertMark } from './history-marks.ts';
import { listSessions } from './list-sessions.ts';
import { findSessions, search } from './search.ts';
import { parseSearch } from './search-query.ts';
import { findForgottenSessions, findNamedSession, listSession, nameSession } from './sessions.ts';

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const page = { limit: 10, after: null, includesAgents: false };
const idsOf = async (scope: object) =>
  (await listSessions(store.db, { ...page, ...scope })).map(({ session_id: id }) => id).toSorted();
function queryOf(text: string) {
  const query = parseSearch(text);
  if (query === null) throw new Error(`${text} is no query`);
  return query;
}

it('are in no list and no search, unless they are asked for, until somebody goes on with them', async () => {
  await store.addSession('u', { isListed: false, title: 'Quokkas' });
  await store.append(null, 'all about quokkas', { sessionId: 'u' });
  const found = async (scope: object) => [
    (await search(store.db, queryOf('quokkas'), { ...page, ...scope })).results.length,
    (await findSessions(store.db, queryOf('quokkas'), { includesAgents: false, ...scope })).ids,
  ];
  expect(await idsOf({})).toEqual(['s']);
  expect(await idsOf({ includesAgents: true })).toEqual(['s']);
  expect(await idsOf({ includesUnlisted: true })).toEqual(['s', 'u']);
  expect(await idsOf({ includesUnlisted: true, includesAgents: true })).toEqual(['s', 'u']);
  expect(await listSessions(store.db, { ...page, includesUnlisted: true })).toEqual(
    expect.arrayContaining([expect.objectContaining({ session_id: 'u', unlisted: true })]),
  );
  expect(await found({})).toEqual([0, []]);
  expect(await found({ includesUnlisted: true })).toEqual([2, ['u']]);
  await listSession(store.db, 'u');
  expect(await idsOf({})).toEqual(['s', 'u']);
  expect(await found({})).toEqual([2, ['u']]);
});

it('are forgotten when they were not used for long, and listed ones never', async () => {
  const old = { updatedAt: '2020-01-01T00:00:00.000000Z' };
  await store.addSession('u1', { isListed: false });
  await store.addSession('u2', { isListed: false, ...old });
  await store.addSession('l', old);
  expect(await findForgottenSessions(store.db, TIME, 10)).toEqual(['u2']);
});

it('have a name once, and a deleted one gives it free', async () => {
  await store.addSession('a', { clientKey: 'telegram:7' });
  expect(await findNamedSession(store.db, 'telegram:7')).toBe('a');
  await expect(store.addSession('b', { clientKey: 'telegram:7' })).rejects.toThrow(/unique/i);
  await nameSession(store.db, 's', 'telegram:7');
  expect(await findNamedSession(store.db, 'telegram:7')).toBe('a');
  for (let at = 0; at < 300; at += 1) {
    await insertMark(store.db, { hash: `h${at}`, sessionId: 'a', messageId: 'm' });
  }
  // Too many rows for one slice: it is hidden, and still there.
  expect(await deleteSession(store.db, 'a', Date.now())).toBe('hidden');
  expect(await findNamedSession(store.db, 'telegram:7')).toBeNull();
  await nameSession(store.db, 's', 'telegram:7');
  expect(await findNamedSession(store.db, 'telegram:7')).toBe('s');
});

it('are found by the longest history, then by their head, then the newest', async () => {
  await store.addSession('t');
  const place = await store.append(null, 'one');
  await store.append(place, 'two');
  await store.append(null, 'one', { sessionId: 't' });
  for (const [hash, sessionId, messageId] of [
    ['a', 's', 'one'],
    ['a', 't', 'one'],
    ['b', 's', 'two'],
    ['c', 's', 'one'],
    ['c', 's', 'three'],
  ] as const) {
    await insertMark(store.db, { hash, sessionId, messageId });
  }
  const found = async (hashes: string[], sessionId: string | null = null) => {
    const mark = await findLongestMark(store.db, hashes, sessionId);
    return mark && [mark.place, mark.sessionId, mark.messageId];
  };
  expect(await found(['a'])).toEqual([0, 't', 'one']);
  expect(await found(['a'], 's')).toEqual([0, 's', 'one']);
  expect(await found(['a', 'b', 'x'])).toEqual([1, 's', 'two']);
  expect(await found(['a', 'b'], 't')).toEqual([0, 't', 'one']);
  expect(await found(['c'])).toEqual([0, 's', 'three']);
  expect(await found(['x'])).toBeNull();
  await insertMark(store.db, { hash: 'a', sessionId: 's', messageId: 'one' });
  await deleteSession(store.db, 't', Date.now());
  expect(await found(['a'])).toEqual([0, 's', 'one']);
});
