// A summary that a client asks for: a wish like a message, so it waits with the turns and before all background work.
import type { EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { WrittenSummary } from '../contract/summary.ts';
import { requireChatModel, requireSession } from '../sessions/require.ts';
import { beginJob } from '../store/background-jobs.ts';
import type { StoredSession } from '../store/sessions.ts';
import { summarize } from '../summaries/summarize.ts';
import { findSummaryModel, summaryCandidates } from '../summaries/summary-model.ts';
import type { CallDeps } from './call-in-line.ts';
import type { ClientWork } from './line/client-work.ts';
import { untilReady } from './line/until-ready.ts';
import { readConversation } from './prompt/read-conversation.ts';
import type { TurnDeps } from './turn-deps.ts';

/** @throws MochiError as `LiveTurns.summarize` */
export async function summarizeSession(
  deps: CallDeps,
  work: ClientWork,
  wish: { readonly sessionId: string; readonly modelName: string | null },
): Promise<WrittenSummary> {
  const { sessionId, modelName } = wish;
  const { db, engine, engineLine } = deps;
  const model = await requireSummaryModel(deps, await requireHistory(deps, sessionId), modelName);
  return work.run(sessionId, async (signal) => {
    const place = engineLine.enter(model.weights, {
      parallel: model.parallel ?? null,
      onMove: () => undefined,
    });
    try {
      await untilReady(place.ready, signal);
      // What was said while it waited in line counts.
      const session = await requireHistory(deps, sessionId);
      const version = await beginJob(db, { sessionId, kind: 'summary' });
      const { summary, topics, model_used } = await summarize(
        { db, engine, isBackground: false, readConversation: (question) => readConversation(deps, question) },
        { session, version, model, isNamed: modelName !== null },
        signal,
      );
      return { summary, topics, model_used };
    } finally {
      place.leave();
    }
  });
}

/** @throws MochiError session_not_found, empty_history */
async function requireHistory({ db }: TurnDeps, sessionId: string): Promise<StoredSession> {
  const session = await requireSession(db, sessionId);
  if (session.message_count >= 2) return session;
  throw new MochiError('empty_history', 'There is nothing to summarize yet: send a message first.', {
    session_id: sessionId,
  });
}

/** @throws MochiError model_unusable, no_summary_model; what the engine throws */
async function requireSummaryModel(
  { engine }: TurnDeps,
  session: StoredSession,
  name: string | null,
): Promise<EngineModel> {
  if (name !== null) return requireChatModel(engine, name);
  const model = await findSummaryModel(session, engine.findModel);
  if (model !== null) return model;
  const [candidate] = summaryCandidates(session);
  if (candidate !== undefined) return requireChatModel(engine, candidate);
  throw new MochiError(
    'no_summary_model',
    `The model ${session.model} cannot write summaries. Name another one: {"model": "..."}.`,
    { session_id: session.session_id, model: session.model },
  );
}
