// One background job: looks whether there is still something to write, and writes it.
import { instantNow } from '../kit/clock.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import { completeJob, forgetJob, type Job, wantJob } from '../store/background-jobs.ts';
import { findMessage } from '../store/messages.ts';
import { findSession, type StoredSession } from '../store/sessions.ts';
import { entitle, entitleByFirstWords } from './entitle.ts';
import { isLargeEnough } from './model-size.ts';
import { summarize } from './summarize.ts';
import type { SummaryDeps } from './summary-deps.ts';
import { findSummaryModel } from './summary-model.ts';

export interface JobDeps extends SummaryDeps {
  /** Billions of parameters from which a model is worth asking. */
  readonly minBillions: number;
  /** A client waits for the engine. */
  readonly giveWay: () => void;
}

/**
 * @returns whether a model has written something
 * @throws MochiError for what the engine did; the job is still due then
 */
export async function runJob(deps: JobDeps, job: Job, signal: AbortSignal): Promise<boolean> {
  const { db, engine, minBillions } = deps;
  const { sessionId, kind, version } = job;
  const session = await findSession(db, sessionId);
  if (session === null) return false;
  if (!(await hasAnswer(deps, session))) return drop(deps, job);
  if (kind === 'title' && session.title !== null) return drop(deps, job);
  const found = findSummaryModel(session, engine.recallModel, (model) => isLargeEnough(model, minBillions));
  const model = await unlessAborted(found, signal);
  if (model === null) {
    const hasToy = (await findSummaryModel(session, engine.recallModel)) !== null;
    if (kind === 'title' && hasToy && (await entitleByFirstWords(deps, { session, version }))) return false;
    return drop(deps, job);
  }
  const slot = await deps.takeSlot?.(model, { signal, onWanted: deps.giveWay });
  try {
    if (kind === 'title') await entitle(deps, { session, version, model }, signal);
    else await summarize(deps, { session, version, model, isNamed: false }, signal);
  } finally {
    slot?.release();
  }
  if (kind === 'summary') await catchUp(deps, job, session);
  return true;
}

/** The path ends with a whole answer that asked for no tool (ORIGINAL.md §14). */
async function hasAnswer({ db }: SummaryDeps, session: StoredSession): Promise<boolean> {
  if (session.message_count < 2 || session.headId === null) return false;
  const last = await findMessage(db, session.session_id, session.headId);
  return last?.role === 'assistant' && last.status === 'complete' && !last.tool_calls?.length;
}

/** Nothing to write now. The next answer wants it again: a title, too. */
async function drop({ db }: SummaryDeps, job: Job): Promise<false> {
  if (job.kind === 'title') await forgetJob(db, job);
  else await completeJob(db, job);
  return false;
}

/** Another branch was chosen while its summary was being written. */
async function catchUp({ db }: SummaryDeps, job: Job, seen: StoredSession): Promise<void> {
  const now = await findSession(db, job.sessionId);
  if (now !== null && now.headId !== seen.headId) await wantJob(db, job, instantNow());
}
