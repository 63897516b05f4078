// `npm run test:postgres`: the tests of the API and of the store with PostgreSQL underneath; `npm run test:cluster`: those
// of several servers on one database. Says so, and does not fail,
// where there is none.
import { spawnSync } from 'node:child_process';
import { startPostgres } from '../test/support/postgres.ts';
import { TEST_POSTGRES } from '../test/support/test-database.ts';

const isCluster = process.argv[2] === '--cluster';
const config = isCluster ? 'vitest.cluster.config.ts' : 'vitest.postgres.config.ts';
const options = process.argv.slice(isCluster ? 3 : 2);
const postgres = await startPostgres();
if (postgres === null) {
  console.warn(
    '\n!!! NOTHING WAS TESTED: there is no PostgreSQL on this machine. Install it (initdb is looked for on',
  );
  console.warn(
    '!!! the PATH and in /usr/lib/postgresql), or set MOCHI_TEST_DATABASE_URL to one whose user may make databases.\n',
  );
} else {
  const { status } = spawnSync('vitest', ['run', '--config', config, ...options], {
    stdio: 'inherit',
    env: { ...process.env, [TEST_POSTGRES]: postgres.url },
  });
  await postgres.stop();
  process.exitCode = status ?? 1;
}
