// A disk whose syncs can be held and can fail: no real one does either when it is asked to.
import { fdatasync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Disk, SyncFile } from '../../src/store/log-sync.ts';

type Done = Parameters<SyncFile>[1];

export class HeldDisk implements Disk {
  /** How many syncs have begun. */
  syncs = 0;
  #isHeld = false;
  #held: (() => void)[] = [];
  #failure: NodeJS.ErrnoException | null = null;
  #skippedMs = 0;

  readonly clock = (): number => performance.now() + this.#skippedMs;

  readonly syncFile: SyncFile = (descriptor, done: Done) => {
    this.syncs += 1;
    const finish = () => {
      if (this.#failure === null) fdatasync(descriptor, done);
      else done(this.#failure);
    };
    if (this.#isHeld) this.#held.push(finish);
    else finish();
  };

  /** Syncs that begin from now on do not end. */
  hold(): void {
    this.#isHeld = true;
  }

  /** They end, and so do those that follow. */
  release(): void {
    this.#isHeld = false;
    for (const finish of this.#held.splice(0)) finish();
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
}
