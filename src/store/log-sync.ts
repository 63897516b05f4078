// The write-ahead log on its way to the disk: one sync, off the event loop, for all that was committed before it began.
// One commit alone is synced at once; many that come one after the other wait for each other a little.
import { closeSync, fdatasync, openSync } from 'node:fs';
import { MochiError } from '../contract/errors.ts';

/** Waits for the disk: `done` once all that the file holds is on it. */
export type SyncFile = (descriptor: number, done: (error: Error | null) => void) => void;

/** What keeps files, and the clock that says how long it takes. */
export interface Disk {
  readonly syncFile: SyncFile;
  /** Milliseconds; never goes back. */
  readonly clock: () => number;
}

const SYSTEM_DISK: Disk = { syncFile: fdatasync, clock: () => performance.now() };

/** After this long a sync counts as hanging. Disks that spin up take some seconds. */
const HANGS_MS = 5000;

/** How many turns of the loop without a commit say that no more of them are coming. */
const QUIET_TURNS = 2;
/** How many commits a sync gathers while more of them are coming, and for how long, in milliseconds. */
const GATHERED = 128;
const GATHERS_MS = 25;

export type DiskState = 'fine' | 'hangs' | 'failed';

/** What waits for a sync that has not begun. */
interface Gathering {
  readonly waiting: PromiseWithResolvers<void>;
  commits: number;
  readonly since: number;
}

/** Has a lifetime: that of the connection whose log it is. */
export class LogSync {
  readonly #descriptor: number;
  readonly #disk: Disk;
  /** What waits for the sync that runs. */
  #running: PromiseWithResolvers<void> | null = null;
  /** What was committed since that began. */
  #next: Gathering | null = null;
  /** How often the loop has turned since the newest commit; null: so often that no more are coming. */
  #turns: number | null = null;
  #begunAt = 0;
  #failure: MochiError | null = null;

  /** @param log the `-wal` file of a database that is open: SQLite takes no locks on it, so that it can be closed again */
  constructor(log: string, disk: Disk = SYSTEM_DISK) {
    this.#descriptor = openSync(log, 'r+');
    this.#disk = disk;
  }

  get state(): DiskState {
    if (this.#failure !== null) return 'failed';
    return this.#running !== null && this.#runsMs > HANGS_MS ? 'hangs' : 'fine';
  }

  /**
   * Resolves when all that is committed now is on the disk, however long that takes.
   * @throws MochiError session_save_error
   */
  synced(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const areComing = this.#noteCommit();
    this.#next ??= { waiting: Promise.withResolvers(), commits: 0, since: this.#disk.clock() };
    const { promise } = this.#next.waiting;
    this.#next.commits += 1;
    if (!areComing || this.#isDue()) this.#beginNext();
    return promise;
  }

  /**
   * A sync that is tried again may say that all is well while what it should have written is gone: the system lets go
   * of pages that it could not write. So nothing more is written.
   * @throws MochiError storage_lost
   */
  refuseFailure(): void {
    if (this.#failure !== null) throw diskFailed();
  }

  /** @throws MochiError storage_lost, database_busy */
  refuseTrouble(): void {
    this.refuseFailure();
    if (this.state === 'hangs') throw diskHangs(this.#runsMs);
  }

  /** Waits for the sync that runs, and for all that was committed since. */
  async close(): Promise<void> {
    for (;;) {
      const last = this.#running ?? this.#next?.waiting;
      if (last === undefined) break;
      await last.promise.catch(() => undefined);
    }
    closeSync(this.#descriptor);
  }

  get #runsMs(): number {
    return this.#disk.clock() - this.#begunAt;
  }

  /** One alone is not kept waiting. @returns whether others came just before it */
  #noteCommit(): boolean {
    const areComing = this.#turns !== null;
    if (!areComing) setImmediate(() => this.#turn());
    this.#turns = 0;
    return areComing;
  }

  #turn(): void {
    const turns = (this.#turns ?? 0) + 1;
    const areComing = turns <= QUIET_TURNS;
    this.#turns = areComing ? turns : null;
    if (areComing) setImmediate(() => this.#turn());
    if (this.#isDue()) this.#beginNext();
  }

  /** Whether what waits need not wait for others. */
  #isDue(): boolean {
    if (this.#next === null || this.#turns === null) return true;
    return this.#next.commits >= GATHERED || this.#disk.clock() - this.#next.since > GATHERS_MS;
  }

  #beginNext(): void {
    if (this.#running !== null || this.#next === null) return;
    this.#running = this.#next.waiting;
    this.#next = null;
    this.#begunAt = this.#disk.clock();
    this.#disk.syncFile(this.#descriptor, (error) => this.#end(error));
  }

  #end(error: NodeJS.ErrnoException | null): void {
    const done = this.#running;
    const next = this.#next;
    this.#running = null;
    if (error !== null) {
      this.#next = null;
      this.#failure = syncFailed(error);
      done?.reject(this.#failure);
      next?.waiting.reject(this.#failure);
      return;
    }
    if (this.#isDue()) this.#beginNext();
    done?.resolve();
  }
}

function syncFailed({ code }: NodeJS.ErrnoException): MochiError {
  return new MochiError(
    'session_save_error',
    'The disk did not keep what was written: the next start may find it, or not. Nothing more is stored until then.',
    { reason: code?.toLowerCase() ?? 'sync_failed' },
  );
}

function diskFailed(): MochiError {
  return new MochiError(
    'storage_lost',
    'The disk did not keep what was written to it. Nothing is stored or changed any more: look after the disk, and start the server again.',
    { reason: 'sync_failed' },
  );
}

function diskHangs(milliseconds: number): MochiError {
  const seconds = Math.round(milliseconds / 1000);
  return new MochiError(
    'database_busy',
    `The disk has not kept what was written for ${seconds} s: whoever stores something waits for it.`,
    { reason: 'sync_hangs' },
  );
}
