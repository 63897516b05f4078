import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeldDisk } from '../../test/support/held-disk.ts';
import { newSession } from '../../test/support/open-test-store.ts';
import { commitEarly, commitUnsynced } from './durable.ts';
import { openStore, type Store, type SyncWay } from './open-store.ts';
import { findSession, insertSession, updateSession } from './sessions.ts';

let dataDir: string;
let disk: HeldDisk;
let store: Store;
/** What was done, in its order. */
let told: string[];

async function open(sync: SyncWay = 'shared'): Promise<void> {
  disk = new HeldDisk();
  store = await openStore({ dataDir, exclusive: true, disk, sync });
  told = [];
  store.onChange({
    changed: (changes) => told.push(`heard of ${changes.map(({ id }) => id).join()}`),
    othersWrote: () => undefined,
  });
}

/** Says so when the promise has an end. */
function noting(name: string, promise: Promise<unknown>): Promise<void> {
  return promise.then(
    () => void told.push(name),
    (error) => void told.push(`${name}: ${error.kind}`),
  );
}

/** As many turns of the loop as an answer would need that waits for nothing. */
async function loopTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

const add = (id: string) =>
  store.db.transaction().execute((transaction) => insertSession(transaction, newSession(id)));

// Where syncs are never shared, there is nothing to see.
describe.skipIf(process.platform === 'darwin')('a store that shares syncs', () => {
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-durable-'));
    await open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true });
  });

  it('ends no transaction and no single write before a sync that began after it, and tells nobody', async () => {
    disk.hold();
    const both = [
      noting('transaction', add('a')),
      noting('single write', insertSession(store.db, newSession('b'))),
    ];
    await disk.began(1);
    await loopTurns();
    expect(told).toEqual([]);
    // Whoever reads waits for nobody.
    expect(await findSession(store.db, 'b')).toMatchObject({ session_id: 'b' });
    disk.release();
    await Promise.all(both);
    expect(told).toEqual(['heard of a', 'transaction', 'heard of b', 'single write']);
    expect(disk.syncs).toBe(2);
  });

  it('syncs twice for 200 commits at once: for the first, and for all that came meanwhile', async () => {
    disk.hold();
    const all = Array.from({ length: 200 }, (_, index) => add(`s${index}`));
    const last = async () => (await findSession(store.db, 's199')) !== null;
    while (!(await last())) await setImmediate();
    disk.release();
    await Promise.all(all);
    expect(disk.syncs).toBe(2);
  });

  it('holds at whatever moment commits and syncs meet', async () => {
    /** How many syncs had begun when each was committed, and how many had ended when it was told. */
    const seen: { begun: number; told: number }[] = [];
    await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        for (let wait = index % 7; wait > 0; wait -= 1) await setImmediate();
        let begun = 0;
        await store.db.transaction().execute(async (transaction) => {
          await insertSession(transaction, newSession(`s${index}`));
          begun = disk.syncs;
        });
        seen.push({ begun, told: disk.syncs });
      }),
    );
    expect(seen.every(({ begun, told }) => told > begun)).toBe(true);
    expect(disk.syncs).toBeLessThan(300);
  });

  it('does not wait with what may be late, and says when what was committed early is durable', async () => {
    disk.hold();
    await commitUnsynced(store.db, (db) => insertSession(db, newSession('late')));
    expect([disk.syncs, told]).toEqual([0, ['heard of late']]);
    const { result, durable } = await commitEarly(store.db, async (db) => {
      await insertSession(db, newSession('early'));
      return 'done';
    });
    const end = noting(result, durable);
    await loopTurns();
    expect(told).toEqual(['heard of late']);
    disk.release();
    await end;
    expect(told).toEqual(['heard of late', 'heard of early', 'done']);
  });

  it('tells all that wait when a sync fails, and writes nothing from then on', async () => {
    await add('before');
    told = [];
    disk.hold();
    const all = [noting('running', add('a')), noting('next', add('b'))];
    await disk.began(2);
    await loopTurns();
    disk.fail();
    await Promise.all(all);
    expect(told).toEqual(['running: session_save_error', 'next: session_save_error']);
    await noting('later', add('c'));
    await noting('single', updateSession(store.db, 'before', { title: 'changed' }));
    await noting(
      'unsynced',
      commitUnsynced(store.db, (db) => insertSession(db, newSession('d'))),
    );
    expect(told.slice(2)).toEqual(['later: storage_lost', 'single: storage_lost', 'unsynced: storage_lost']);
    expect(store.diskState()).toBe('failed');
    expect(() => store.refuseTrouble()).toThrow('Nothing is stored');
    expect(await findSession(store.db, 'before')).toMatchObject({ title: null });
    // The next start finds in the log what there is.
    await store.close();
    expect(readFileSync(join(dataDir, 'mochi.db-wal')).length).toBeGreaterThan(0);
    await open();
    expect(await findSession(store.db, 'before')).toMatchObject({ title: null });
    await add('after');
  });

  it('waits as long as a sync hangs, and says that it does', async () => {
    disk.hold();
    const end = noting('written', add('a'));
    await disk.began(1);
    disk.skipTime(4000);
    expect(store.diskState()).toBe('fine');
    disk.skipTime(2000);
    expect(store.diskState()).toBe('hangs');
    expect(() => store.refuseTrouble()).toThrow('for 6 s');
    await loopTurns();
    expect(told).toEqual([]);
    disk.release();
    await end;
    expect([store.diskState(), told.at(-1)]).toEqual(['fine', 'written']);
  });

  it('leaves the syncs to SQLite where it is told to', async () => {
    await store.close();
    await open('commit');
    disk.hold();
    await add('a');
    expect([disk.syncs, told]).toEqual([0, ['heard of a']]);
    expect((await commitEarly(store.db, (db) => insertSession(db, newSession('b')))).durable).toBeInstanceOf(
      Promise,
    );
  });
});

describe('the rule', () => {
  const sources = (readdirSync('src', { recursive: true }) as string[])
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join('src', path), 'utf8') }));
  const filesWith = (pattern: RegExp) =>
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

  it('lets few files commit without waiting, and they tell no client', () => {
    expect(filesWith(/\bcommitUnsynced\(/).toSorted()).toEqual([
      'chat/step/checkpoints.ts',
      'store/clear-session.ts',
      'store/clearing.ts',
      'store/receive-session.ts',
    ]);
    expect(filesWith(/\bcommitEarly\b/).toSorted()).toEqual(['store/durable.ts', 'store/lock-session.ts']);
  });

  it('lets no file write beside it', () => {
    expect(filesWith(/new Kysely\b/).toSorted()).toEqual([
      'store/dialect/postgres/open.ts',
      'store/durable.ts',
      'store/open-snapshot.ts',
      'store/open-store.ts',
    ]);
    // A transaction that is committed by hand is not waited for: these never are committed.
    expect(filesWith(/\.startTransaction\(/).toSorted()).toEqual([
      'chat/preview-turn.ts',
      'store/dialect/postgres/open.ts',
    ]);
  });
});
