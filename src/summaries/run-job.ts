// One background job: looks whether there is still something to write, and writes it.
import { completeJob, forgetJob, type Job, wantJob } from '../store/background-jobs.ts';
import { findMessage } from '../store/messages.ts';
import { findSession, type StoredSession } from '../store/sessions.ts';
import { entitle } from './entitle.ts';
import { summarize } from './summarize.ts';
import type { SummaryDeps } from './summary-deps.ts';
import { findSummaryModel } from './summary-model.ts';

/** @throws MochiError for what the engine did; the job is still due then */
export async function runJob(deps: SummaryDeps, job: Job, signal: AbortSignal): Promise<void> {
  const { db, engine } = deps;
  const { sessionId, kind, version } = job;
  const session = await findSession(db, sessionId);
  if (session === null) return;
  if (!(await hasAnswer(deps, session))) return drop(deps, job);
  const model = await findSummaryModel(session, engine.recallModel);
  if (model === null) return drop(deps, job);
  signal.throwIfAborted();
  switch (kind) {
    case 'title':
      if (session.title !== null) return drop(deps, job);
      return entitle(deps, { session, version, model }, signal);
    case 'summary':
      await summarize(deps, { session, version, model, isNamed: false }, signal);
      return catchUp(deps, job, session);
    default:
      kind satisfies never;
  }
}

/** The path ends with a whole answer that asked for no tool (ORIGINAL.md §14). */
async function hasAnswer({ db }: SummaryDeps, session: StoredSession): Promise<boolean> {
  if (session.message_count < 2 || session.headId === null) return false;
  const last = await findMessage(db, session.session_id, session.headId);
  return last?.role === 'assistant' && last.status === 'complete' && !last.tool_calls?.length;
}

/** Nothing to write now. The next answer wants it again: a title, too. */
async function drop({ db }: SummaryDeps, job: Job): Promise<void> {
  if (job.kind === 'title') await forgetJob(db, job);
  else await completeJob(db, job);
}

/** Another branch was chosen while its summary was being written. */
async function catchUp({ db }: SummaryDeps, job: Job, seen: StoredSession): Promise<void> {
  const now = await findSession(db, job.sessionId);
  if (now !== null && now.headId !== seen.headId) await wantJob(db, job, Date.now());
}
