// Connections to PostgreSQL.
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Pool, PoolConfig } from 'pg';
import { loadPg } from '../../../kit/late-packages.ts';

/** How long is waited for a connection, new or of the pool. */
const CONNECT_MS = 5000;
/** What the server itself cuts off. */
const STATEMENT_MS = 30_000;
const IDLE_IN_TRANSACTION_MS = 10_000;
const LIMITS = `set statement_timeout = ${STATEMENT_MS}; set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;
/** A server that says nothing, not even that it has cut something off, is not waited for. */
const SILENCE_MS = STATEMENT_MS + 5000;
const GOODBYE_MS = 1000;

/** Of 64-bit and arbitrary numbers, which the driver gives as text: ours are counts, sums, places and milliseconds. */
const NUMBERS = new Set([20, 1700]);

/** For what may take its time: the schema is looked at and brought up to date. @throws what the URL names and is not there */
export function openPatientPool(url: string): Pool {
  return openPool(url, { max: 2 });
}

/** For requests: nothing holds a connection for long. */
export function openServingPool(url: string, max: number): Pool {
  return openPool(url, {
    max,
    query_timeout: SILENCE_MS,
    // Not as parameters of the connection, which poolers refuse.
    verify: (client, done) => client.query(LIMITS, (error) => done(error)),
  });
}

function openPool(url: string, options: PoolConfig): Pool {
  const { Pool, types } = loadPg();
  const sockets = new Set<Socket>();
  const pool = new Pool({
    connectionString: url,
    application_name: 'mochi-server',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        NUMBERS.has(oid) ? Number : types.getTypeParser(oid, format),
    },
    ...options,
  });
  // A connection that rests was cut: the next one is made anew, and whoever needs it hears of it. One that is in use
  // tells so in the statement as well.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  endSoon(pool, sockets);
  return pool;
}

/** The driver waits for the goodbye of the server, which may stand still, and forgets connections that were refused. */
function endSoon(pool: Pool, sockets: ReadonlySet<Socket>): void {
  const end = pool.end.bind(pool);
  pool.end = async () => {
    const ended = end();
    ended.catch(() => undefined);
    await Promise.race([ended, setTimeout(GOODBYE_MS, undefined, { ref: false })]);
    for (const socket of sockets) socket.destroy();
  };
}
