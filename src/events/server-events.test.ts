import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../test/support/open-test-store.ts';
import { createLog } from '../kit/log.ts';
import { ServerEvents } from './server-events.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const never = new AbortController().signal;

function open(): ServerEvents {
  const log = createLog({ level: 'fatal', format: 'json' });
  return new ServerEvents({ db: store.db, log, version: '1.2.3', pulls: () => [], firstId: 1000 });
}

/** Nobody can find them: they are told as deleted. */
function note(events: ServerEvents, from: number, count: number): void {
  const ids = Array.from({ length: count }, (_, index) => `s${from + index}`);
  events.noteStore(ids.map((id) => ({ kind: 'session', id })));
}

type Watcher = ReturnType<ServerEvents['watch']>;
const next = async (watcher: Watcher) => (await watcher.next()).value ?? [];
const idsOf = (batch: readonly { readonly id: number }[]) => batch.map(({ id }) => id);
/** What there is after a number. */
const after = async (events: ServerEvents, seen: number | null) =>
  (await Array.fromAsync(events.watch(seen, never, 'there'))).flat();
const namesOf = (batch: readonly { readonly event: { readonly event: string } }[]) =>
  batch.map(({ event }) => event.event);

describe('the events of the server', () => {
  it('are numbered on from the first number', async () => {
    const events = open();
    note(events, 0, 3);
    expect(idsOf(await after(events, 1000))).toEqual([1000, 1001, 1002, 1003]);
    expect(idsOf(await after(events, 1002))).toEqual([1002, 1003]);
    expect(idsOf(await after(events, null))).toEqual([1003]);
  });

  it('keep the newest of each thing, in the order in which they changed last', async () => {
    const events = open();
    for (const name of [1, 2, 1, 3, 1]) note(events, name, 1);
    const told = await after(events, 1000);
    expect(told.slice(1).map(({ id, event }) => [id, Object(event.data).session_id])).toEqual([
      [1002, 's2'],
      [1004, 's3'],
      [1005, 's1'],
    ]);
  });

  it.each([0, 999, 1004])('know nothing of number %i', async (seen) => {
    const events = open();
    note(events, 0, 3);
    const told = await after(events, seen);
    expect([namesOf(told), idsOf(told)]).toEqual([
      ['hello', 'reset'],
      [1003, 1003],
    ]);
  });

  it('are bounded: what changed longest ago is forgotten, and whoever would miss it is told so', async () => {
    const events = open();
    note(events, 0, 2100);
    expect(namesOf(await after(events, 1099))).toEqual(['hello', 'reset']);
    expect(idsOf(await after(events, 1100))).toHaveLength(2001);
    // A thing that changes again and again takes one place.
    for (let round = 0; round < 5000; round += 1) note(events, 0, 1);
    expect(namesOf(await after(events, 1101))).toHaveLength(2001);
  });

  it('wait for a slow reader by holding nothing for it: it is told the newest, or to begin anew', async () => {
    const events = open();
    const watcher = events.watch(1000, never, 'end');
    expect(namesOf(await next(watcher))).toEqual(['hello']);
    for (const name of [1, 2, 1]) note(events, name, 1);
    expect(idsOf(await next(watcher))).toEqual([1002, 1003]);
    note(events, 0, 2500);
    expect(namesOf(await next(watcher))).toEqual(['reset']);
    note(events, 0, 1);
    expect(idsOf(await next(watcher))).toEqual([3504]);
    await watcher.return();
  });

  it('are read once for all who keep up', async () => {
    const events = open();
    const watchers = [events.watch(null, never, 'end'), events.watch(null, never, 'end')] as const;
    for (const watcher of watchers) await next(watcher);
    for (const watcher of watchers) await next(watcher);
    note(events, 0, 1);
    const [first, second] = [await next(watchers[0]), await next(watchers[1])];
    expect(first).toHaveLength(1);
    expect(second).toBe(first);
    expect(events.watcherCount).toBe(2);
    for (const watcher of watchers) await watcher.return();
    expect(events.watcherCount).toBe(0);
  });

  it('end for whoever leaves, and for all when the server stops', async () => {
    const events = open();
    const leaving = new AbortController();
    const left = Array.fromAsync(events.watch(null, leaving.signal, 'end'));
    const stayed = Array.fromAsync(events.watch(null, never, 'end'));
    leaving.abort();
    await left;
    events.close();
    await stayed;
  });
});
