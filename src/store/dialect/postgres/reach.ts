// Whether the database answers: asked every other second on a connection of its own, so that whoever cannot be served is
// told at once, and whoever can wait knows when it is back.
import { setTimeout } from 'node:timers/promises';
import type { Client } from 'pg';
import type { MochiError } from '../../../contract/errors.ts';
import type { Log } from '../../../kit/log.ts';
import { outcomeUnknown, readOnly, toAway, withoutTables } from './errors.ts';

const LOOK_MS = 2000;
/** While it does not answer. */
const LOOK_AGAIN_MS = 500;
/** A database that says nothing for so long is away. */
const SILENCE_MS = 3000;
/** How long a request waits to be told what became of its commit. */
const OUTCOME_MS = 5000;
/** The first pause of who waits for it; the next ones are longer. */
const PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

const LOOK = `select
  pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as is_read_only,
  to_regclass('session_rows') is null as is_empty`;

interface Seen {
  readonly is_read_only: boolean;
  /** Our tables are not there. */
  readonly is_empty: boolean;
}

interface ReachDoors {
  /** A connection that is not of the pool. */
  readonly connect: () => Client;
  /** Ends those of the pool: nothing comes on them any more. */
  readonly cut: () => void;
}

/** Of another connection to the database, or of this one. */
export interface Notice {
  readonly channel: string;
  readonly payload: string;
}

/** Has a lifetime: that of the store. */
export class Reach {
  readonly #doors: ReachDoors;
  readonly #ended = new AbortController();
  /** Aborted when nobody waits any more. */
  readonly #hurry = new AbortController();
  #client: Client | null = null;
  #looking: Promise<void> | null = null;
  #trouble: MochiError | null = null;
  #log: Log | null = null;
  /** Said on the connection whenever it is made. */
  #kept: readonly string[] = [];
  #heard: (notice: Notice | null) => void = () => undefined;
  /** Made anew, and not told yet. */
  #mayHaveMissed = false;

  constructor(doors: ReachDoors) {
    this.#doors = doors;
  }

  /**
   * What is said on the connection, now and whenever it is made anew, such as to which channels it listens.
   * @param heard is told each notice; null: some may have been missed
   */
  async keep(statements: readonly string[], heard: (notice: Notice | null) => void): Promise<void> {
    this.#kept = statements;
    this.#heard = heard;
    this.#drop();
    await this.check();
  }

  /** Looks from now on, whether or not anybody asks. */
  watch(log: Log): void {
    this.#log = log;
    void this.#lookOnAndOn();
  }

  /** @throws MochiError database_busy when it was away at the last look */
  refuseTrouble(): void {
    if (this.#trouble !== null) throw this.#trouble;
  }

  /** The same, after another look. */
  async check(): Promise<void> {
    await this.#look();
    this.refuseTrouble();
  }

  /** A statement has found it away. */
  suspect(): void {
    void this.#look();
  }

  /** Ends with the next try that is worth it. @throws the cause when nobody waits any more */
  async wait(cause: unknown, tries: number): Promise<void> {
    do {
      if (this.#hurry.signal.aborted) throw cause;
      await this.#pause(tries);
      await this.#look();
    } while (this.#trouble !== null);
  }

  /**
   * What became of a transaction whose commit was sent and not answered.
   * @param isPatient as long as it takes
   * @throws MochiError database_busy where nobody can tell
   */
  async hasCommitted(transaction: string, isPatient: boolean): Promise<boolean> {
    const giveUpAt = isPatient ? Number.POSITIVE_INFINITY : performance.now() + OUTCOME_MS;
    for (let tries = 0; ; tries += 1) {
      await this.#look();
      const state = this.#trouble === null ? await this.#stateOf(transaction) : 'in progress';
      if (state === 'committed') return true;
      if (state === 'aborted') return false;
      const isOver = performance.now() > giveUpAt || this.#hurry.signal.aborted;
      if (state === null || isOver) throw outcomeUnknown();
      await this.#pause(tries);
    }
  }

  /** Ends at once when nobody waits any more. */
  async #pause(tries: number): Promise<void> {
    const ms = Math.min(PAUSE_MS * 2 ** tries, MAX_PAUSE_MS);
    await setTimeout(ms, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
  }

  /** Whoever waits gives up now. */
  hurry(): void {
    this.#hurry.abort();
  }

  async close(): Promise<void> {
    this.#hurry.abort();
    this.#ended.abort();
    await this.#looking;
    this.#drop();
  }

  async #lookOnAndOn(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const pause = this.#trouble === null ? LOOK_MS : LOOK_AGAIN_MS;
      await setTimeout(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  /** One at a time, for all who want to know. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Never throws. */
  async #lookOnce(): Promise<void> {
    const before = this.#trouble;
    try {
      this.#trouble = troubleOf(await this.#ask<Seen>(LOOK, []));
    } catch (error) {
      this.#trouble = toAway(error);
    }
    // Connections to a server that is a standby now are no use either: the next ones may go to the other one.
    if (this.#trouble !== null && before === null) this.#doors.cut();
    if (this.#trouble?.details['reason'] === 'read_only') this.#drop();
    this.#tell(before);
    // Whoever looks after what was missed finds the database there.
    if (this.#trouble !== null || !this.#mayHaveMissed) return;
    this.#mayHaveMissed = false;
    this.#heard(null);
  }

  #tell(before: MochiError | null): void {
    if (this.#trouble !== null && before === null) {
      const { reason } = this.#trouble.details;
      this.#log?.error(
        { reason },
        'the database does not answer: requests are refused, turns go on and wait with what they have',
      );
    } else if (this.#trouble === null && before !== null) {
      this.#log?.warn('the database answers again: what waited for it is stored');
    }
  }

  /** Null: it is not known any more. */
  async #stateOf(transaction: string): Promise<'committed' | 'aborted' | 'in progress' | null> {
    try {
      const rows = await this.#ask<{ state: 'committed' | 'aborted' | 'in progress' | null }>(
        'select pg_xact_status($1::text::xid8) as state',
        [transaction],
      );
      return rows[0]?.state ?? null;
    } catch (error) {
      // Its number was never written: what came after the last checkpoint of a crash is given out anew.
      if (error instanceof Error && 'code' in error && error.code === '22023') return 'aborted';
      return 'in progress';
    }
  }

  async #ask<Row extends object>(text: string, values: string[]): Promise<Row[]> {
    const silence = new AbortController();
    const answer = this.#query<Row>(text, values);
    answer.catch(() => undefined);
    const silent = setTimeout(SILENCE_MS, null, { signal: silence.signal }).catch(() => null);
    try {
      const rows = await Promise.race([answer, silent]);
      if (rows === null) throw Object.assign(new Error('It says nothing.'), { code: 'ETIMEDOUT' });
      return rows;
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      silence.abort();
    }
  }

  async #query<Row extends object>(text: string, values: string[]): Promise<Row[]> {
    const client = await this.#connected();
    return (await client.query<Row>(text, values)).rows;
  }

  async #connected(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    const client = this.#doors.connect();
    this.#client = client;
    client.on('error', () => {
      if (this.#client === client) this.#client = null;
    });
    client.on('notification', ({ channel, payload = '' }) => this.#heard({ channel, payload }));
    await client.connect();
    // What it hears and holds has to last.
    await client.query('set idle_session_timeout = 0');
    for (const statement of this.#kept) await client.query(statement);
    this.#mayHaveMissed = this.#kept.length > 0;
    return client;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = null;
    client?.end().catch(() => undefined);
  }
}

function troubleOf([seen]: readonly Seen[]): MochiError | null {
  if (seen?.is_read_only === true) return readOnly();
  return seen?.is_empty === true ? withoutTables() : null;
}
