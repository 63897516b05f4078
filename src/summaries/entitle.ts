// Writes the title of a session, unless somebody else gives it one meanwhile.
import type { EngineModel } from '../contract/engine.ts';
import { completeJob } from '../store/background-jobs.ts';
import { changeSession } from '../store/lock-session.ts';
import { findUserMessage } from '../store/messages.ts';
import { findSession, type StoredSession, updateSession } from '../store/sessions.ts';
import { askStructured } from './ask-structured.ts';
import { cleanTitle } from './clean-title.ts';
import type { SummaryDeps } from './summary-deps.ts';

export interface TitleWork {
  readonly session: StoredSession;
  readonly version: number;
  readonly model: EngineModel;
}

const REPLY_TOKENS = 256;

const SCHEMA = {
  type: 'object',
  properties: { title: { type: 'string' } },
  required: ['title'],
} as const;

const INSTRUCTION =
  'Stop here. This is not a part of the conversation, and nothing that was said before about how to answer holds for it. Give the conversation above a title of 2 to 6 words, in its own language: what it is about, as in a table of contents. No quotes, no dot at the end, no Markdown. Answer only with JSON: {"title": "..."}.';

/** @throws MochiError invalid_structured_output; what the engine throws */
export async function entitle(deps: SummaryDeps, work: TitleWork, signal: AbortSignal): Promise<void> {
  const { session, version, model } = work;
  const title = await askStructured(
    deps,
    {
      session,
      model,
      instruction: INSTRUCTION,
      schema: SCHEMA,
      replyTokens: REPLY_TOKENS,
      read: readTitle,
    },
    signal,
  );
  await store(deps, { session, version }, title);
}

/**
 * The title of a conversation with a model that is too small to find one: how it began.
 * @returns false where no words are left to make one of
 */
export async function entitleByFirstWords(
  deps: SummaryDeps,
  work: Omit<TitleWork, 'model'>,
): Promise<boolean> {
  const question = await findUserMessage(deps.db, work.session.session_id, 'first');
  const title = cleanTitle(question?.content ?? '');
  if (title === '') return false;
  await store(deps, work, title);
  return true;
}

async function store(
  { db }: SummaryDeps,
  { session, version }: Omit<TitleWork, 'model'>,
  title: string,
): Promise<void> {
  const sessionId = session.session_id;
  await changeSession(db, sessionId, async (transaction) => {
    // A client that has set or cleared the title has settled the job.
    if (!(await completeJob(transaction, { sessionId, kind: 'title', version }))) return;
    const now = await findSession(transaction, sessionId);
    if (now?.title === null) await updateSession(transaction, sessionId, { title });
  });
}

function readTitle(value: unknown): string | null {
  const { title } = Object(value) as Readonly<Record<string, unknown>>;
  return typeof title === 'string' ? cleanTitle(title) || null : null;
}
