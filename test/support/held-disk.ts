// A disk whose syncs can be held and can fail: no real one does either when it is asked to.
import { fdatasync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Disk, SyncFile } from '../../src/store/log-sync.ts';

type Done = Parameters<SyncFile>[1];

export class HeldDisk implements Disk {
  /** How many syncs have begun. */
  syncs = 0;
  /** How many more may end. */
  #free = Number.POSITIVE_INFINITY;
  readonly #held: (() => void)[] = [];
  #failure: NodeJS.ErrnoException | null = null;
  #skippedMs = 0;

  readonly clock = (): number => performance.now() + this.#skippedMs;

  readonly syncFile: SyncFile = (descriptor, done: Done) => {
    this.syncs += 1;
    const finish = () => {
      if (this.#failure === null) fdatasync(descriptor, done);
      else done(this.#failure);
    };
    this.#held.push(finish);
    this.#endFree();
  };

  /** Syncs that begin from now on do not end. */
  hold(): void {
    this.#free = 0;
  }

  /** They end, and so do those that follow. @param count of all of them, which end at most */
  release(count = Number.POSITIVE_INFINITY): void {
    this.#free = count;
    this.#endFree();
  }

  /** As `release`, and every sync fails. */
  fail(): void {
    this.#failure = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    this.release();
  }

  skipTime(milliseconds: number): void {
    this.#skippedMs += milliseconds;
  }

  /** Resolves when so many syncs have begun. */
  async began(count: number): Promise<void> {
    while (this.syncs < count) await setImmediate();
  }

  #endFree(): void {
    while (this.#free > 0 && this.#held.length > 0) {
      this.#free -= 1;
      this.#held.shift()?.();
    }
  }
}
