// One of several servers on a database: it says that it lives, and takes what others have left.
import { setTimeout } from 'node:timers/promises';
import type { Log } from '../kit/log.ts';
import type { Db } from '../store/database.ts';
import { followDatabase } from '../store/database-clock.ts';
import {
  enterInstance,
  type Instance as InstanceRow,
  type KnownToBeLeft,
  leaveInstance,
  listGoneNeighbours,
  renewLease,
  type TakenTurn,
  takeLeftTurns,
} from '../store/instances.ts';
import { isTooOld } from '../store/min-version.ts';
import type { LeaseTimes } from './lease-times.ts';

export interface InstanceDoors {
  readonly db: Db;
  readonly log: Log;
  readonly row: InstanceRow;
  readonly times: LeaseTimes;
  /** Goes on with turns that are this instance's from now on. @returns those that it could not take up: it is asked again */
  readonly takeUp: (turns: readonly TakenTurn[]) => Promise<readonly TakenTurn[]>;
  /** Its lease is renewed: what others want of it is looked for. */
  readonly renewed: () => void;
  /** The database is for versions from this one on. */
  readonly isTooOld: (minVersion: string) => void;
  /** Whether its turns may be stored: others have taken it for gone, or it is one of them again. */
  readonly noteLease: (hasLease: boolean) => void;
  /** Others may have its turns, or will: nothing of them goes on here. */
  readonly loseTurns: () => void;
  /** It is one of them again, who know nothing of what it had before. */
  readonly enteredAgain: () => void;
  /** Turns that are its own, and that it does not drive. */
  readonly findUndriven: () => Promise<readonly string[]>;
}

/** Has a lifetime: from `start` to `close`. */
export class Instance {
  readonly #doors: InstanceDoors;
  readonly #ended = new AbortController();
  #renewedAt = 0;
  /** Others that lived when it was renewed last. */
  #others = 0;
  #hasStopped = false;
  /** Taken, and not taken up yet. */
  #waiting: readonly TakenTurn[] = [];
  #takingUp: Promise<void> = Promise.resolve();
  #isTakingUp = false;
  #beating: Promise<void> = Promise.resolve();

  constructor(doors: InstanceDoors) {
    this.#doors = doors;
  }

  /** Before it serves. What an earlier run of this server has left is taken at once. */
  async start(): Promise<void> {
    const { db, row, times } = this.#doors;
    await enterInstance(db, row, times.leaseMs);
    this.#renewedAt = performance.now();
    await this.#take({ gone: await listGoneNeighbours(db, row) });
    await this.#takeUp();
    this.#beating = this.#beatOnAndOn();
  }

  /** It renews its lease no more; what is left is anybody's. Never throws. */
  async close(): Promise<void> {
    const { db, row, log } = this.#doors;
    this.#ended.abort();
    await this.#beating;
    await this.#takingUp;
    await leaveInstance(db, row.id).catch((error: unknown) => {
      log.warn({ err: error }, 'what this instance has left is taken when its lease is over');
    });
  }

  async #beatOnAndOn(): Promise<void> {
    const { signal } = this.#ended;
    const { beatMs } = this.#doors.times;
    let pause = beatMs;
    while (!signal.aborted) {
      await setTimeout(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) pause = (await this.#beat()) ? beatMs : beatMs / 5;
    }
  }

  /** Never throws: one that fails is tried again. @returns whether it was renewed */
  async #beat(): Promise<boolean> {
    const { db, row, times, log } = this.#doors;
    try {
      const askedAt = performance.now();
      const renewed = await this.#unlessLate(renewLease(db, row.id, times.leaseMs));
      if (renewed === null) await this.#enterAgain();
      else this.#others = renewed.others;
      if (renewed !== null) followDatabase(renewed.instant, askedAt);
      this.#renewedAt = askedAt;
      this.#hasStopped = false;
      const minVersion = renewed?.minVersion ?? null;
      if (minVersion !== null && isTooOld(minVersion)) this.#doors.isTooOld(minVersion);
      else await this.#take({ undriven: await this.#findUndriven() });
      this.#doors.renewed();
      return true;
    } catch (error) {
      log.warn({ err: error }, 'the lease of this instance could not be renewed: it is tried again');
      this.#stopWhenLate();
      return false;
    }
  }

  /** Others have taken all that it had: it was away for too long. */
  async #enterAgain(): Promise<void> {
    const { db, row, times, log, loseTurns, enteredAgain, noteLease } = this.#doors;
    noteLease(false);
    log.error('this instance was away for longer than its lease: others have taken its turns');
    loseTurns();
    this.#waiting = [];
    await enterInstance(db, row, times.leaseMs);
    enteredAgain();
    noteLease(true);
  }

  /** The database may say nothing at all. */
  async #unlessLate<T>(asked: Promise<T>): Promise<T> {
    const inTime = new AbortController();
    const left = Math.max(this.#renewedAt + this.#doors.times.stopMs - performance.now(), 0);
    const late = setTimeout(left, undefined, { signal: inTime.signal, ref: false }).then(
      () => this.#stopWhenLate(),
      () => undefined,
    );
    try {
      return await asked;
    } finally {
      inTime.abort();
      await late;
    }
  }

  /** Where others live who may take its turns. */
  #stopWhenLate(): void {
    const { times, log, loseTurns } = this.#doors;
    const isLate = performance.now() - this.#renewedAt >= times.stopMs;
    if (!isLate || this.#hasStopped || this.#others === 0) return;
    this.#hasStopped = true;
    log.error('this instance cannot renew its lease: it stops its turns before others take them');
    loseTurns();
  }

  /** What was taken is driven in a moment. */
  async #findUndriven(): Promise<readonly string[]> {
    return this.#isTakingUp || this.#waiting.length > 0 ? [] : this.#doors.findUndriven();
  }

  async #take(left: KnownToBeLeft): Promise<void> {
    const { db, row, log } = this.#doors;
    const taken = await takeLeftTurns(db, row.id, left);
    if (taken.length > 0) log.warn({ turns: taken.length }, 'turns that were left are taken');
    this.#waiting = [...this.#waiting, ...taken];
    if (this.#waiting.length > 0) void this.#takeUp();
  }

  /** One after the other. Never throws. */
  #takeUp(): Promise<void> {
    this.#takingUp = this.#takingUp.then(async () => {
      const turns = this.#waiting;
      this.#waiting = [];
      this.#isTakingUp = true;
      const left = await this.#doors.takeUp(turns);
      this.#isTakingUp = false;
      this.#waiting = [...left, ...this.#waiting];
    });
    return this.#takingUp;
  }
}
