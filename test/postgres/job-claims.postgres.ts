// Jobs in the background of servers that share a database: each has one server at it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { completeJob, wantJob } from '../../src/store/background-jobs.ts';
import { openPostgres, type PostgresStore } from '../../src/store/dialect/postgres/open.ts';
import { enterInstance, leaveInstance, renewLease } from '../../src/store/instances.ts';
import { claimNextJob, releaseJob } from '../../src/store/job-claims.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { nameInstance } from '../../src/store/tenure.ts';
import { newSession } from '../support/open-test-store.ts';
import { administer, databaseUrl, TEMPLATE, TEST_POSTGRES } from '../support/test-database.ts';

const NAME = `mochi_jobs_${randomBytes(4).toString('hex')}`;
const INSTANCES = ['one', 'two'] as const;
let one: PostgresStore;
let two: PostgresStore;
beforeAll(async () => {
  const admin = process.env[TEST_POSTGRES];
  if (admin === undefined) throw new Error('This is run by npm run test:postgres.');
  await administer(admin, `create database ${NAME} template ${TEMPLATE}`);
  const options = { url: databaseUrl(admin, NAME), pool: 5 };
  one = await openPostgres(options);
  two = await openPostgres(options);
  nameInstance(one.db, 'one');
  nameInstance(two.db, 'two');
});
afterAll(async () => {
  await one.close();
  await two.close();
  await administer(process.env[TEST_POSTGRES] ?? '', `drop database ${NAME} with (force)`);
});

beforeEach(async () => {
  await one.db.deleteFrom('background_jobs').execute();
  for (const id of INSTANCES) {
    await leaveInstance(one.db, id);
    await enterInstance(one.db, { id, host: 'here', url: null, version: '1', protocol: 1 }, 60_000);
  }
});

const claim = ({ db }: PostgresStore, resting: string[] = []) =>
  claimNextJob(db, ['title', 'summary'], resting);

async function want(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomBytes(5).toString('hex'));
  for (const [index, id] of ids.entries()) {
    await insertSession(one.db, newSession(id, { model: index === 0 ? 'first' : 'other' }));
    await wantJob(one.db, { sessionId: id, kind: 'summary' }, index);
  }
  return ids;
}

it('is claimed by one of those who ask at the same time', async () => {
  const ids = await want(12);
  const claimed = await Promise.all([
    ...Array.from({ length: 6 }, () => claim(one)),
    ...Array.from({ length: 6 }, () => claim(two)),
  ]);
  // An instance may be given again what is its own; nothing is two instances'.
  const byOne = new Set(claimed.slice(0, 6).map((job) => job?.sessionId));
  const byTwo = claimed.slice(6).map((job) => job?.sessionId);
  expect(byTwo.filter((id) => byOne.has(id))).toEqual([]);
  expect([...byOne, ...byTwo].every((id) => id !== undefined && ids.includes(id))).toBe(true);
});

it('is passed over while another is at it, and anybody’s when that one lets go, leaves or is dead', async () => {
  const [first, second] = await want(2);
  expect(await claim(one)).toMatchObject({ sessionId: first, kind: 'summary', attempts: 0, model: 'first' });
  expect(await claim(two)).toMatchObject({ sessionId: second });
  await releaseJob(two.db, { sessionId: first ?? '', kind: 'summary' });
  expect(await claim(two)).toMatchObject({ sessionId: second });
  await releaseJob(one.db, { sessionId: first ?? '', kind: 'summary' });
  expect(await claim(two)).toMatchObject({ sessionId: first });
  expect(await claim(one)).toBeNull();
  await renewLease(one.db, 'two', -1);
  expect(await claim(one)).toMatchObject({ sessionId: first });
  await leaveInstance(one.db, 'one');
  expect(await claim(two)).toMatchObject({ sessionId: first });
});

it('stays claimed when its session has changed, and is wanted anew; done, it is nobody’s any more', async () => {
  const [first] = await want(1);
  const job = await claim(one);
  if (job === null) throw new Error('It is due.');
  await wantJob(two.db, { sessionId: first ?? '', kind: 'summary' }, 5);
  expect(await claim(two)).toBeNull();
  expect(await completeJob(one.db, job)).toBe(true);
  await releaseJob(one.db, job);
  const again = await claim(two);
  expect(again).toMatchObject({ sessionId: first, version: job.version + 1 });
  if (again !== null) await completeJob(two.db, again);
  expect(await claim(two)).toBeNull();
  expect(await claim(one)).toBeNull();
});

it('passes over models that rest', async () => {
  const [, second] = await want(2);
  expect(await claim(one, ['first'])).toMatchObject({ sessionId: second });
});
