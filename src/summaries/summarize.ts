// Writes the summary of a session and stores it, unless a newer one is there.
import type { EngineModel } from '../contract/engine.ts';
import type { SessionSummary } from '../contract/session.ts';
import { withoutThoughts } from '../kit/model-json.ts';
import { cutText } from '../kit/whole-characters.ts';
import { completeJob } from '../store/background-jobs.ts';
import { changeSession } from '../store/lock-session.ts';
import { findMessage } from '../store/messages.ts';
import { type StoredSession, type StoredSummary, updateSession } from '../store/sessions.ts';
import { askStructured } from './ask-structured.ts';
import type { SummaryDeps } from './summary-deps.ts';

export interface SummaryWork {
  /** As it is when the work begins. */
  readonly session: StoredSession;
  /** Of the job: tells which of two results is the newer one. */
  readonly version: number;
  readonly model: EngineModel;
  /** Whether a client named the model: it is remembered then. */
  readonly isNamed: boolean;
}

const REPLY_TOKENS = 1024;
const MAX_TOPICS = 12;
/** Longer texts are no summaries; in characters. */
const MAX_SUMMARY_LENGTH = 5000;
const MAX_TOPIC_LENGTH = 100;

const SCHEMA = {
  type: 'object',
  properties: { summary: { type: 'string' }, topics: { type: 'array', items: { type: 'string' } } },
  required: ['summary', 'topics'],
} as const;

/** @returns the summary, stored or not. @throws MochiError invalid_structured_output; what the engine throws */
export async function summarize(
  deps: SummaryDeps,
  work: SummaryWork,
  signal: AbortSignal,
): Promise<StoredSummary & { readonly model_used: string }> {
  const { session, model } = work;
  const earlier = await earlierSummary(deps, session);
  const written = await askStructured(
    deps,
    {
      session,
      model,
      instruction: toInstruction(earlier),
      schema: SCHEMA,
      replyTokens: REPLY_TOKENS,
      read: readSummary,
    },
    signal,
  );
  const summary = { ...written, model_used: model.name, message_id: session.headId };
  await store(deps, work, summary);
  return summary;
}

/** A summary of another branch would carry over what is not a part of this one. */
async function earlierSummary({ db }: SummaryDeps, session: StoredSession): Promise<StoredSummary | null> {
  const { summary } = session;
  if (summary?.message_id == null) return summary;
  const last = await findMessage(db, session.session_id, summary.message_id);
  return last?.active ? summary : null;
}

function toInstruction(earlier: StoredSummary | null): string {
  const carried =
    earlier === null
      ? ''
      : `\n\nAn earlier summary, which also covers what came before the messages above; keep what still matters of it:\n${JSON.stringify(earlier.summary)}`;
  return `Stop here. This is not a part of the conversation, and nothing that was said before about how to answer holds for it. Summarize the conversation above for somebody who has not read it, in its own language: in 2 to 5 sentences, what was asked, what came out, and what is open. Add 1 to 6 topics of a word or a few each. Answer only with JSON: {"summary": "...", "topics": ["..."]}.${carried}`;
}

/** @returns null for what is no summary */
function readSummary(value: unknown): SessionSummary | null {
  const { summary, topics } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof summary !== 'string' || !Array.isArray(topics)) return null;
  const text = withoutThoughts(summary).trim().toWellFormed();
  if (text === '' || text.length > MAX_SUMMARY_LENGTH) return null;
  if (!topics.every((topic) => typeof topic === 'string')) return null;
  const cleaned = topics.map((topic) => cutText(topic.trim(), MAX_TOPIC_LENGTH));
  return { summary: text, topics: [...new Set(cleaned.filter(Boolean))].slice(0, MAX_TOPICS) };
}

/** Never moves `updated_at`: it would reorder the list of sessions for nothing that a person did. */
async function store(deps: SummaryDeps, work: SummaryWork, summary: StoredSummary): Promise<void> {
  const { session, version, isNamed } = work;
  const name = { sessionId: session.session_id, kind: 'summary' } as const;
  await changeSession(deps.db, name.sessionId, async (transaction) => {
    if (!(await completeJob(transaction, { ...name, version }))) return;
    await updateSession(transaction, name.sessionId, {
      summary,
      ...(isNamed && { summary_model: summary.model_used ?? null }),
    });
  });
}
