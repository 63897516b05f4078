// What a start says of a database that it cannot use, and that it says no secret: the real command, a real PostgreSQL.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainOpen } from '../../src/store/dialect/postgres/open-error.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { runCommand, spawnServer } from '../support/spawned-server.ts';
import { administer, databaseUrl } from '../support/test-database.ts';

const PASSWORD = 'sesame-7531';
let postgres: OwnPostgres;
let dataDir: string;

beforeAll(async () => {
  const own = await startOwnPostgres(PASSWORD);
  if (own === null) throw new Error('There is no PostgreSQL on this machine.');
  postgres = own;
  dataDir = mkdtempSync(join(tmpdir(), 'mochi-postgres-start-'));
}, 60_000);
afterAll(async () => {
  await postgres.stop();
  rmSync(dataDir, { recursive: true });
});

/** What `mochi-server` says with this URL, and how it ends. */
async function startWith(url: string): Promise<{ status: number | null; text: string }> {
  const env = { MOCHI_DATABASE_URL: url, MOCHI_DATA_DIR: dataDir, MOCHI_OLLAMA_HOST: 'http://127.0.0.1:1' };
  const { status, stdout, stderr } = await runCommand(['--port', '0'], { env });
  return { status, text: `${stdout}${stderr}` };
}

async function refusal(url: string): Promise<string> {
  const { status, text } = await startWith(url);
  expect({ status, text }).toEqual({ status: 2, text: expect.stringMatching(/^mochi-server: [^\n]+\n$/) });
  expect(text).not.toContain(PASSWORD);
  return text.slice('mochi-server: '.length).trimEnd();
}

function at(change: (url: URL) => void): string {
  const url = new URL(postgres.url);
  change(url);
  return url.href;
}

async function makeDatabase(name: string, settings = ''): Promise<string> {
  await administer(postgres.url, `create database ${name} ${settings}`);
  return databaseUrl(postgres.url, name);
}

describe('a start is refused in one line with what to do', () => {
  it('the URL cannot be read', async () => {
    const { status, text } = await startWith(`postgres://mochi:${PASSWORD}#x@127.0.0.1/d`);
    expect(status).toBe(2);
    expect(text).toMatch(/^mochi-server: MOCHI_DATABASE_URL must be a URL such as postgres:/);
    expect(text).not.toContain(PASSWORD);
  });

  it('nothing listens, no such host', async () => {
    expect(await refusal(at((url) => (url.port = '1')))).toBe(
      'postgres://127.0.0.1:1/postgres cannot be reached: nothing listens there (ECONNREFUSED). Start PostgreSQL, or mend MOCHI_DATABASE_URL.',
    );
    expect(await refusal(at((url) => (url.hostname = 'nowhere.invalid')))).toMatch(
      /^postgres:\/\/nowhere\.invalid:\d+\/postgres cannot be reached: there is no host of that name/,
    );
  });

  it('somebody listens and says nothing', async () => {
    const silent: Server = createServer(() => undefined).listen(0, '127.0.0.1');
    const address = await new Promise<string>((resolve) => {
      silent.once('listening', () => resolve(JSON.stringify(silent.address())));
    });
    const { port } = JSON.parse(address);
    expect(await refusal(at((url) => (url.port = String(port))))).toContain(
      'does not answer within 5 seconds',
    );
    silent.close();
  });

  it('what listens there is not PostgreSQL', async () => {
    const web = createWebServer((_, response) => response.end('Hello')).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port } = Object(web.address());
    expect(await refusal(at((url) => (url.port = String(port))))).toMatch(
      /what listens there has ended the connection, and may not be PostgreSQL\. Mend MOCHI_DATABASE_URL\.$/,
    );
    web.close();
  });

  it('a pooler that knows of no transactions', async () => {
    const said = 'transaction blocks not allowed in statement pooling mode';
    expect(explainOpen(new Error(said), 'postgres://db/chats').message).toMatch(
      /^postgres:\/\/db\/chats is reached through a pooler in statement mode\. /,
    );
  });

  it('wrong password, none, no such user, no such database', async () => {
    expect(await refusal(at((url) => (url.password = `${PASSWORD}x`)))).toMatch(
      /does not let this user in: password authentication failed for user "mochi"\. Mend name or password/,
    );
    expect(await refusal(at((url) => (url.password = '')))).toContain('does not let this user in');
    expect(await refusal(at((url) => (url.username = 'nobody')))).toContain('does not let this user in');
    expect(await refusal(databaseUrl(postgres.url, 'missing'))).toMatch(/\/missing does not exist\. Make it/);
  });

  it('a server without TLS that was asked for it', async () => {
    for (const mode of ['verify-full', 'verify-ca', 'require', 'prefer'])
      expect(await refusal(`${postgres.url}?sslmode=${mode}`)).toContain('cannot be reached safely');
  });

  it('a certificate that is not where the URL says', async () => {
    expect(await refusal(`${postgres.url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`)).toMatch(
      /cannot be reached: the file \/nowhere\/ca\.pem cannot be read\. Mend MOCHI_DATABASE_URL\.$/,
    );
  });

  it('read-only, no right to make tables, letters that cannot hold everything', async () => {
    const url = await makeDatabase('readonly');
    await administer(url, 'alter database readonly set default_transaction_read_only = on');
    expect(await refusal(url)).toContain('is read-only (default_transaction_read_only is on)');
    await administer(postgres.url, `create role guest login password '${PASSWORD}'`);
    const guest = new URL(await makeDatabase('shared'));
    guest.username = 'guest';
    expect(await refusal(guest.href)).toContain('grant create on schema public to "guest"');
    const latin = await makeDatabase('latin', "encoding 'LATIN1' template template0");
    expect(await refusal(latin)).toContain('stores text as LATIN1');
  });

  it('of another program, and of a newer mochi-server: nothing in it is changed', async () => {
    const url = await makeDatabase('others');
    await administer(url, 'create table messages (id int)');
    expect(await refusal(url)).toContain('has tables of another program');
    const newer = await makeDatabase('newer');
    const server = await spawnServer({
      dataDir,
      ollamaHost: 'http://127.0.0.1:1',
      env: { MOCHI_DATABASE_URL: newer },
    });
    await server.kill('SIGTERM');
    await administer(newer, "insert into kysely_migration values ('999_later', '2030-01-01T00:00:00Z')");
    expect(await refusal(newer)).toContain('was written by a newer mochi-server');
  });

  it('no connection is left', async () => {
    await postgres.halt();
    await postgres.start(['max_connections=4', 'superuser_reserved_connections=0']);
    const clients = Array.from({ length: 4 }, () => new Client({ connectionString: postgres.url }));
    for (const client of clients) await client.connect();
    expect(await refusal(postgres.url)).toContain('has no connection left');
    for (const client of clients) await client.end();
    await postgres.halt();
    await postgres.start();
  });
});

it('starts that come at once wait for each other: the schema is made once', async () => {
  const url = await makeDatabase('together');
  const started = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'mochi-postgres-together-'));
      const server = await spawnServer({
        dataDir: folder,
        ollamaHost: 'http://127.0.0.1:1',
        env: { MOCHI_DATABASE_URL: url },
      });
      const { status } = await server.get('/readyz');
      await server.kill('SIGTERM');
      rmSync(folder, { recursive: true });
      return status;
    }),
  );
  expect(started).toEqual([200, 200, 200]);
});

it('what an administrator allows for a statement does not end what takes its time at a start', async () => {
  const url = await makeDatabase('hurried');
  for (const setting of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'])
    await administer(postgres.url, `alter database hurried set ${setting} = '200ms'`);
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0');
  // As another server that brings the schema up to date.
  await admin.query('select pg_advisory_lock(3853314791062309107)');
  const started = spawnServer({
    dataDir,
    ollamaHost: 'http://127.0.0.1:1',
    env: { MOCHI_DATABASE_URL: url },
  });
  const waits = `select 1 from pg_locks where locktype = 'advisory' and not granted`;
  await expect.poll(async () => (await admin.query(waits)).rowCount, { timeout: 15_000 }).toBe(1);
  await admin.query('select pg_sleep(0.4)');
  await admin.query('select pg_advisory_unlock(3853314791062309107)');
  const server = await started;
  expect((await server.get('/readyz')).status).toBe(200);
  await server.kill('SIGTERM');
  await admin.end();
});
