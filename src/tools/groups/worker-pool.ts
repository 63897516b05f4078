// The workers of all groups: one is kept warm, others come and go with the calls, and over all there are not too many.
import type { Keeper } from './keeper.ts';
import { createPlaces } from './places.ts';
import type { WorkerLaunch } from './worker-channel.ts';
import { GroupFault, startWorker, type WorkerProcess } from './worker-process.ts';

export interface WorkerPoolOptions {
  readonly keeper: Keeper;
  /** Over all groups. */
  readonly maxProcesses: number;
  /** How long an idle worker lives beside another of its group, in milliseconds. */
  readonly spareIdleMs?: number;
  /** The same for the last one of a group. */
  readonly lastIdleMs?: number;
}

/** A group as the pool knows it; the object itself is its name. */
export interface PooledGroup {
  readonly launch: WorkerLaunch;
  readonly maxWorkers: number;
}

/** Has a lifetime: until `close`. */
export interface WorkerPool {
  /**
   * A loaded worker that nobody else uses. Give it back.
   * @param waitMs how long to wait for a place; null: as long as it takes
   * @throws GroupFault, the signal's reason
   */
  lend(group: PooledGroup, signal: AbortSignal, waitMs: number | null): Promise<WorkerProcess>;
  giveBack(worker: WorkerProcess): void;
  /** Idle workers end, the others when they are given back. Resolves when all are gone. */
  endGroup(group: PooledGroup): Promise<void>;
  /** Kills all. */
  close(): Promise<void>;
}

const SPARE_IDLE_MS = 60_000;
const LAST_IDLE_MS = 600_000;

interface Member {
  readonly group: PooledGroup;
  readonly worker: WorkerProcess;
  /** Ending ones hold their place until they are gone. */
  state: 'busy' | 'idle' | 'ending';
  idleSince: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  return new Pool(options);
}

class Pool implements WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Map<WorkerProcess, Member>();
  readonly #endedGroups = new WeakSet<PooledGroup>();
  readonly #places = createPlaces<PooledGroup, Member>((group) => this.#take(group));
  #isClosed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  async lend(group: PooledGroup, signal: AbortSignal, waitMs: number | null): Promise<WorkerProcess> {
    const member = this.#isGone(group) ? null : await this.#places.wait(group, signal, waitMs);
    if (this.#isGone(group)) {
      if (member !== null) this.giveBack(member.worker);
      throw new GroupFault('its group is no longer loaded');
    }
    if (member === null) throw new GroupFault('too many tools run at once; no process became free');
    const { worker } = member;
    await unlessAborted(worker.loaded, signal, () => {
      // It goes on loading, and is warm for the next call.
      void worker.loaded.then(() => this.giveBack(worker)).catch(() => undefined);
    });
    return worker;
  }

  giveBack(worker: WorkerProcess): void {
    const member = this.#members.get(worker);
    if (member?.state !== 'busy') return;
    if (this.#isGone(member.group)) this.#retire(member);
    else this.#rest(member);
    this.#places.serve();
  }

  async endGroup(group: PooledGroup): Promise<void> {
    this.#endedGroups.add(group);
    const own = this.#membersOf(group);
    for (const member of own) if (member.state === 'idle') this.#retire(member);
    await Promise.all(own.map(({ worker }) => worker.ended));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#members.keys()].map((worker) => worker.kill('the server stopped')));
  }

  #isGone(group: PooledGroup): boolean {
    return this.#isClosed || this.#endedGroups.has(group);
  }

  #membersOf(group: PooledGroup): readonly Member[] {
    return [...this.#members.values()].filter((member) => member.group === group);
  }

  /** A worker for the group, if there is one or a place for one. */
  #take(group: PooledGroup): Member | null {
    const own = this.#membersOf(group);
    const idle = own.find(({ state }) => state === 'idle');
    if (idle !== undefined) return occupy(idle);
    if (this.#isGone(group) || own.length >= group.maxWorkers) return null;
    if (this.#members.size < this.#options.maxProcesses) return this.#start(group);
    this.#makeRoom();
    return null;
  }

  /** What rests longest, of whatever group, goes: its place is free when it has ended. */
  #makeRoom(): void {
    const all = [...this.#members.values()];
    if (all.some(({ state }) => state === 'ending')) return;
    const idle = all.filter(({ state }) => state === 'idle').sort((a, b) => a.idleSince - b.idleSince);
    if (idle[0] !== undefined) this.#retire(idle[0]);
  }

  #start(group: PooledGroup): Member {
    const worker = startWorker(group.launch, this.#options.keeper);
    const member: Member = { group, worker, state: 'busy', idleSince: 0, idleTimer: undefined };
    this.#members.set(worker, member);
    void worker.ended.then(() => {
      clearTimeout(member.idleTimer);
      this.#members.delete(worker);
      this.#places.serve();
    });
    return member;
  }

  #rest(member: Member): void {
    const { spareIdleMs = SPARE_IDLE_MS, lastIdleMs = LAST_IDLE_MS } = this.#options;
    const later = (ms: number, then: () => void) => {
      member.idleTimer = setTimeout(then, ms);
      member.idleTimer.unref();
    };
    member.state = 'idle';
    member.idleSince = performance.now();
    later(spareIdleMs, () => {
      if (this.#membersOf(member.group).length > 1) this.#retire(member);
      else later(Math.max(lastIdleMs - spareIdleMs, 0), () => this.#retire(member));
    });
  }

  #retire(member: Member): void {
    member.state = 'ending';
    clearTimeout(member.idleTimer);
    void member.worker.end();
  }
}

function occupy(member: Member): Member {
  clearTimeout(member.idleTimer);
  member.state = 'busy';
  return member;
}

/** @throws the signal's reason, what the promise rejects with */
async function unlessAborted(
  promise: Promise<unknown>,
  signal: AbortSignal,
  onAbort: () => void,
): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    onAbort();
    reject(signal.reason);
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
