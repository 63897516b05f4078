// What happens on the server, told to whoever listens: sessions, turns, pulls.
import { MochiError } from '../contract/errors.ts';
import type { PullState } from '../contract/server-event.ts';
import { Bell } from '../kit/bell.ts';
import type { Log } from '../kit/log.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import type { StoreChange } from '../store/change-notes.ts';
import type { Db } from '../store/database.ts';
import { ChangeLog } from './change-log.ts';
import { type NumberedServerEvent, readChanges, type ServerChange } from './read-changes.ts';

/** Connections that may listen. */
const MAX_WATCHERS = 1000;

export interface ServerEventDeps {
  readonly db: Db;
  readonly log: Log;
  readonly version: string;
  /** What is being fetched now. */
  readonly pulls: () => readonly PullState[];
  /** Greater than any number that an earlier server has given: those who come back from it are told so. */
  readonly firstId: number;
}

type Batch = readonly NumberedServerEvent[];

/** Has a lifetime: that of the server. Watchers hold nothing but the number of what they have seen. */
export class ServerEvents {
  readonly #deps: ServerEventDeps;
  readonly #log: ChangeLog<ServerChange>;
  readonly #bell = new Bell();
  readonly #closing = new AbortController();
  /** What was asked for last: watchers that keep up ask for the same. */
  #newest: { readonly after: number; readonly until: number; readonly batch: Promise<Batch> } | null = null;
  #watchers = 0;

  constructor(deps: ServerEventDeps) {
    this.#deps = deps;
    this.#log = new ChangeLog(deps.firstId);
  }

  get watcherCount(): number {
    return this.#watchers;
  }

  noteStore(changes: readonly StoreChange[]): void {
    for (const change of changes) this.#log.note(`${change.kind} ${change.id}`, change);
    this.#bell.ring();
  }

  /** Much may have changed, and nobody knows what: all are told to begin anew. */
  noteUnknown(): void {
    this.#log.forget();
    this.#bell.ring();
  }

  notePull(pull: PullState): void {
    this.#log.note(`pull ${pull.name}`, { kind: 'pull', pull });
    this.#bell.ring();
  }

  /**
   * `hello`, then what happened after a number, then what happens, in batches of what there is. Who reads slowly is
   * told the newest state of what changed meanwhile, and `reset` where too much did.
   * @param after null: from now on
   * @param reach `there`: to end with what there is now, instead of following
   * @throws MochiError overloaded
   */
  watch(after: number | null, signal: AbortSignal, reach: 'end' | 'there'): AsyncGenerator<Batch, void> {
    if (this.#watchers >= MAX_WATCHERS) {
      throw new MochiError('overloaded', 'Too many connections listen to the events of the server.');
    }
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return this.#follow(after, either, reach === 'end' ? Number.POSITIVE_INFINITY : this.#log.lastId);
  }

  /** Ends all connections that listen. */
  close(): void {
    this.#closing.abort();
  }

  /** @param end no further than what there was with this number */
  async *#follow(after: number | null, signal: AbortSignal, end: number): AsyncGenerator<Batch, void> {
    const log = this.#log;
    const isKnown = after !== null && log.knows(after);
    let seen = isKnown ? after : log.lastId;
    this.#watchers += 1;
    try {
      const { version } = this.#deps;
      yield [{ id: seen, event: { event: 'hello', data: { version } } }];
      if (!isKnown) yield this.#begin(seen, after !== null);
      while (!signal.aborted) {
        if (seen >= Math.min(end, log.lastId)) {
          if (seen >= end) return;
          await unlessAborted(this.#bell.rung, signal).catch(() => undefined);
          continue;
        }
        const from = seen;
        seen = log.lastId;
        yield log.knows(from) ? await this.#read(from) : this.#begin(seen, true);
      }
    } catch (error) {
      // Whoever listens comes back with its number.
      this.#deps.log.error({ err: error }, 'events of the server could not be read');
    } finally {
      this.#watchers -= 1;
    }
  }

  /** What a list of sessions does not tell, to whoever has just read it, or is to read it anew. */
  #begin(id: number, isReset: boolean): Batch {
    const pulls = this.#deps.pulls().map((data) => ({ id, event: { event: 'pull' as const, data } }));
    return isReset ? [{ id, event: { event: 'reset', data: {} } }, ...pulls] : pulls;
  }

  #read(after: number): Promise<Batch> {
    const until = this.#log.lastId;
    if (this.#newest?.after === after && this.#newest.until === until) return this.#newest.batch;
    const batch = readChanges(this.#deps.db, this.#log.after(after));
    this.#newest = { after, until, batch };
    batch.catch(() => {
      if (this.#newest?.batch === batch) this.#newest = null;
    });
    return batch;
  }
}
