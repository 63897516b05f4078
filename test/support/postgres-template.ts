// Before `npm run test:postgres`: the database that those of the tests are copies of.
import { openPostgres } from '../../src/store/dialect/postgres/open.ts';
import { administer, databaseUrl, TEMPLATE, TEST_POSTGRES } from './test-database.ts';

export default async function makeTemplate(): Promise<void> {
  const server = process.env[TEST_POSTGRES];
  if (server === undefined) throw new Error(`${TEST_POSTGRES} is not set: use npm run test:postgres.`);
  await administer(server, `drop database if exists ${TEMPLATE} with (force)`);
  // Another order of letters than that of their bytes, as many have it.
  await administer(
    server,
    `create database ${TEMPLATE} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C'`,
  );
  const store = await openPostgres({ url: databaseUrl(server, TEMPLATE), pool: 1 });
  await store.close();
}
