// The write-ahead log on its way to the disk: one sync, off the event loop, for all that was committed before it began.
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

export type DiskState = 'fine' | 'hangs' | 'failed';

/** Has a lifetime: that of the connection whose log it is. */
export class LogSync {
  readonly #descriptor: number;
  readonly #disk: Disk;
  /** What waits for the sync that runs. */
  #running: PromiseWithResolvers<void> | null = null;
  /** What was committed since that began. */
  #next: PromiseWithResolvers<void> | null = null;
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
    if (this.#running !== null) {
      this.#next ??= Promise.withResolvers();
      return this.#next.promise;
    }
    const waiting = Promise.withResolvers<void>();
    this.#begin(waiting);
    return waiting.promise;
  }

  /** Resolves when all that another file of the database holds is on the disk. @throws MochiError session_save_error */
  fileSynced(descriptor: number): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#disk.syncFile(descriptor, (error) => {
      if (error === null) return resolve();
      this.#failure ??= syncFailed(error);
      reject(this.#failure);
    });
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

  /** Waits for the sync that runs. */
  async close(): Promise<void> {
    while (this.#running !== null) await this.#running.promise.catch(() => undefined);
    closeSync(this.#descriptor);
  }

  get #runsMs(): number {
    return this.#disk.clock() - this.#begunAt;
  }

  #begin(waiting: PromiseWithResolvers<void>): void {
    this.#running = waiting;
    this.#begunAt = this.#disk.clock();
    this.#disk.syncFile(this.#descriptor, (error) => this.#end(error));
  }

  #end(error: NodeJS.ErrnoException | null): void {
    const done = this.#running;
    const next = this.#next;
    this.#running = null;
    this.#next = null;
    if (error !== null) {
      this.#failure = syncFailed(error);
      done?.reject(this.#failure);
      next?.reject(this.#failure);
      return;
    }
    if (next !== null) this.#begin(next);
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
