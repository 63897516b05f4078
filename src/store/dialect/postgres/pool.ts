// Connections to PostgreSQL.
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Client, ClientConfig, Pool, PoolConfig } from 'pg';
import { loadPg } from '../../../kit/late-packages.ts';

/** How long is waited for a connection, new or of the pool. */
export const CONNECT_MS = 5000;
/** What the server itself cuts off. */
const STATEMENT_MS = 30_000;
const IDLE_IN_TRANSACTION_MS = 10_000;
/**
 * Set on the connection, and not as parameters of it, which poolers refuse. No statement here runs so long that it would
 * be worth compiling: the planner expects it of searches, and then that takes longer than they do. A page is as near as
 * the next one on what databases lie on today: else words of long texts, which lie aside, would be read one after the
 * other in place of their index.
 */
const SETTINGS = `
  set statement_timeout = ${STATEMENT_MS};
  set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS};
  set lock_timeout = 0;
  set jit = off;
  set random_page_cost = 1.1`;
/** Whatever an administrator has set for those who ask from day to day. */
const PATIENT_SETTINGS = `
  set statement_timeout = 0;
  set idle_in_transaction_session_timeout = 0;
  set lock_timeout = 0`;
const GOODBYE_MS = 1000;
/** A chat pauses for longer than the driver would keep a connection, which has plans and is made in several round trips. */
const IDLE_MS = 300_000;

/** Of 64-bit and arbitrary numbers, which the driver gives as text: ours are counts, sums, places and milliseconds. */
const NUMBERS = new Set([20, 1700]);

export interface EndedPool {
  readonly pool: Pool;
  /** Ends every connection at once: whoever waits for an answer on one hears of it. */
  cut(): void;
}

/** To look at what is there: nothing is set on a connection that may be a pooler's, and others' in a moment. */
export function openLookingPool(url: string): EndedPool {
  return openPool({ ...connectionOf(url), max: 2 });
}

/** For what may take its time: the schema is brought up to date. */
export function openPatientPool(url: string): EndedPool {
  return openPool({ ...connectionOf(url), max: 2, verify: setFirst(PATIENT_SETTINGS) });
}

/** For requests: nothing holds a connection for long. */
export function openServingPool(url: string, max: number): EndedPool {
  return openPool({
    ...connectionOf(url),
    max,
    idleTimeoutMillis: IDLE_MS,
    verify: setFirst(SETTINGS),
  });
}

function setFirst(settings: string): NonNullable<PoolConfig['verify']> {
  return (client, done) => client.query(settings, (error) => done(error));
}

/** One that is not of a pool, and not connected yet. */
export function openClient(url: string): Client {
  const { Client } = loadPg();
  return new Client(connectionOf(url));
}

function connectionOf(url: string): ClientConfig {
  const { types } = loadPg();
  return {
    connectionString: driverUrl(url),
    application_name: 'mochi-server',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        NUMBERS.has(oid) ? Number : types.getTypeParser(oid, format),
    },
  };
}

/** The driver takes these modes for `verify-full`, and warns at length that it will not for ever. */
function driverUrl(url: string): string {
  const own = new URL(url);
  const { searchParams } = own;
  if (!/^(?:prefer|require|verify-ca)$/.test(searchParams.get('sslmode') ?? '')) return url;
  if (searchParams.has('uselibpqcompat')) return url;
  searchParams.set('sslmode', 'verify-full');
  return own.href;
}

function openPool(options: PoolConfig): EndedPool {
  const { Pool } = loadPg();
  const sockets = new Set<Socket>();
  const pool = new Pool({
    ...options,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
  });
  // A connection that rests was cut: the next one is made anew, and whoever needs it hears of it. One that is in use
  // tells so in the statement as well.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const end = pool.end.bind(pool);
  // The driver waits for the goodbye of the server, which may stand still, and forgets connections that were refused.
  pool.end = async () => {
    const ended = end();
    ended.catch(() => undefined);
    await Promise.race([ended, setTimeout(GOODBYE_MS, undefined, { ref: false })]);
    cut();
  };
  return { pool, cut };
}
