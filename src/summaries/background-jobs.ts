// Work for nobody in particular: one job at a time, only while no client waits for the engine, stopped at once when
// one comes. What is due stands in the database; this decides when it runs.

import { MochiError } from '../contract/errors.ts';
import { instantNow } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import {
  completeJob,
  type JobKind,
  postponeJob,
  type WaitingJob,
  wantJob,
  wantJobOnce,
} from '../store/background-jobs.ts';
import type { Db } from '../store/database.ts';
import { claimNextJob, releaseJob, sharesJobs } from '../store/job-claims.ts';
import type { StoredSession } from '../store/sessions.ts';
import { ModelRests, PAUSES_MS } from './model-rests.ts';
import { runJob } from './run-job.ts';
import { RunningJob } from './running-job.ts';
import type { SummaryDeps } from './summary-deps.ts';

export interface BackgroundDeps extends SummaryDeps {
  readonly log: Log;
}

export interface BackgroundOptions {
  readonly summaries: boolean;
  readonly titles: boolean;
  /** Billions of parameters from which a model is worth asking; 0: all are. */
  readonly minBillions: number;
  /** Quiet time before a job begins: whoever asks again at once never meets one. */
  readonly idleMs?: number;
  /** Pauses after the first failure in a row, the second …; after one more it is given up. */
  readonly pausesMs?: readonly number[];
}

const IDLE_MS = 250;
/** How often it is looked for jobs that another server has left, where several share the database. */
const LEFT_MS = 30_000;
/** The longest time that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Has a lifetime: from `start` to `close`. */
export class BackgroundJobs {
  readonly #deps: BackgroundDeps;
  readonly #kinds: readonly JobKind[];
  readonly #idleMs: number;
  readonly #minBillions: number;
  readonly #pausesMs: readonly number[];
  readonly #rests: ModelRests;
  /** Clients' work under way. */
  #holds = 0;
  #isOpen = false;
  #working: Promise<void> | null = null;
  #running: RunningJob | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Times in a row that the engine could not be had, whatever the job; and until when nothing is tried then. */
  #outages = 0;
  #pausedUntil = 0;

  constructor(deps: BackgroundDeps, options: BackgroundOptions) {
    const { summaries, titles, minBillions, idleMs = IDLE_MS, pausesMs = PAUSES_MS } = options;
    this.#deps = deps;
    this.#kinds = [...(titles ? (['title'] as const) : []), ...(summaries ? (['summary'] as const) : [])];
    this.#idleMs = idleMs;
    this.#minBillions = minBillions;
    this.#pausesMs = pausesMs;
    this.#rests = new ModelRests(pausesMs);
  }

  /** Takes up what the last run of the server has left. */
  start(): void {
    this.#isOpen = this.#kinds.length > 0;
    this.#wakeAfter(this.#idleMs);
  }

  /** A session has a new answer. Called in the transaction that stores it, so that no restart forgets it. */
  async answered(
    db: Db,
    session: Pick<StoredSession, 'session_id' | 'title' | 'model' | 'kind' | 'isListed'>,
  ): Promise<void> {
    const sessionId = session.session_id;
    const now = instantNow();
    // Nobody looks for an agent's chat by its title, and its summary is its last message; nor for what is in no list.
    const kinds = session.kind === 'chat' && session.isListed ? this.#kinds : [];
    if (kinds.includes('title') && session.title === null) {
      await wantJobOnce(db, { sessionId, kind: 'title' }, now);
    }
    if (kinds.includes('summary')) await wantJob(db, { sessionId, kind: 'summary' }, now);
    this.#rests.answered(session.model);
    this.#endOutage();
  }

  /** A client's work begins: the job that runs gives way, and none begins until the release. */
  hold(): { release(): void } {
    this.#holds += 1;
    this.#stopTimer();
    this.#running?.giveWay();
    return new JobsHold(this);
  }

  /** A client's work has ended. */
  endHold(): void {
    this.#holds -= 1;
    this.#wakeAfter(this.#idleMs);
  }

  /** The session is gone. */
  stopSession(sessionId: string): void {
    if (this.#running?.job.sessionId === sessionId) this.#running.stop();
  }

  /** Resolves when nothing runs any more; what was under way is due again at the next start. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#stopTimer();
    this.#running?.stop();
    await this.#working;
  }

  get #isFree(): boolean {
    return this.#isOpen && this.#holds === 0;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wakeAfter(ms: number): void {
    const waitMs = Math.max(ms, this.#pausedUntil - performance.now());
    if (!this.#isFree || this.#working !== null || waitMs === Number.POSITIVE_INFINITY) return;
    this.#stopTimer();
    const wake = () => {
      this.#timer = null;
      this.#working = this.#work()
        .catch((error: unknown) => {
          this.#deps.log.error({ err: error }, 'background work failed');
          this.#noteOutage();
          return 0;
        })
        .then((nextMs) => {
          this.#working = null;
          if (nextMs !== null) this.#wakeAfter(nextMs);
        });
    };
    this.#timer = setTimeout(wake, Math.min(waitMs, MAX_TIMER_MS)).unref();
  }

  /** Runs what is due. @returns when to look again, in milliseconds; null: not before something happens */
  async #work(): Promise<number | null> {
    const { db } = this.#deps;
    while (this.#isFree) {
      const resting = this.#rests.resting();
      const job = await claimNextJob(db, this.#kinds, resting.models);
      if (job === null) return sharesJobs(db) ? Math.min(resting.nextMs ?? LEFT_MS, LEFT_MS) : resting.nextMs;
      try {
        if (!this.#isFree) break;
        const hasEngine = await this.#run(job);
        if (!hasEngine) return 0;
      } finally {
        await releaseJob(db, job);
      }
    }
    // Whoever holds the engine may have let go of it while the job was stopping.
    return this.#idleMs;
  }

  /** @returns false when the engine could not be had */
  async #run(job: WaitingJob): Promise<boolean> {
    const { log } = this.#deps;
    const about = { session_id: job.sessionId, job: job.kind };
    const running = new RunningJob(job);
    this.#running = running;
    try {
      const deps = {
        ...this.#deps,
        minBillions: this.#minBillions,
        noteLeft: (leftMs: number) => running.noteLeft(leftMs),
        giveWay: () => running.giveWay(),
      };
      const hasWritten = await runJob(deps, job, running.signal);
      log.debug(about, 'background job done');
      if (hasWritten) {
        this.#rests.succeed(job.model);
        this.#endOutage();
      }
    } catch (error) {
      if (running.signal.aborted) {
        log.debug(about, 'background job stopped for a client');
      } else if (isOutage(error)) {
        const level = this.#outages === 0 ? 'warn' : 'debug';
        log[level]({ ...about, reason: error.message }, 'background work waits for the engine');
        this.#noteOutage();
        return false;
      } else {
        await this.#postpone(job, error);
      }
    } finally {
      running.end();
      this.#running = null;
    }
    return true;
  }

  /** It is due again, behind all others; its model rests. */
  async #postpone(job: WaitingJob, error: unknown): Promise<void> {
    const { db, log } = this.#deps;
    const { model } = job;
    const about = { session_id: job.sessionId, job: job.kind, model, ...explain(error) };
    const pauseMs = this.#rests.fail(model);
    const isLast = job.attempts >= this.#pausesMs.length;
    if (isLast) {
      log.warn(about, 'background job given up; what there was is kept');
      await completeJob(db, job);
    } else {
      log.info(
        { ...about, ...(Number.isFinite(pauseMs) && { again_in_ms: pauseMs }) },
        'background job failed',
      );
      await postponeJob(db, job, instantNow());
    }
    if (Number.isFinite(pauseMs)) return;
    log.warn(
      { model },
      'a model that fails again and again is asked for no more until another one has answered',
    );
  }

  /** After the last pause nothing is tried until a client's answer shows that the engine is back. */
  #noteOutage(): void {
    const pauseMs = this.#pausesMs[this.#outages] ?? Number.POSITIVE_INFINITY;
    this.#pausedUntil = performance.now() + pauseMs;
    this.#outages += 1;
  }

  #endOutage(): void {
    this.#outages = 0;
    this.#pausedUntil = 0;
  }
}

/** Has a lifetime: that of a client's work. */
class JobsHold {
  /** Null: it was released. */
  #jobs: BackgroundJobs | null;

  constructor(jobs: BackgroundJobs) {
    this.#jobs = jobs;
  }

  /** Safe to call again. */
  release(): void {
    this.#jobs?.endHold();
    this.#jobs = null;
  }
}

/** Nothing that is wrong with the job: any other one would fail as well. */
function isOutage(error: unknown): error is MochiError {
  if (!(error instanceof MochiError)) return false;
  return [
    'ollama_unreachable',
    'engine_busy',
    'engine_timeout',
    'session_save_error',
    'database_busy',
    'storage_lost',
  ].includes(error.kind);
}

/** Our own faults are logged whole. */
function explain(error: unknown): object {
  return error instanceof MochiError ? { reason: error.message } : { err: error };
}
