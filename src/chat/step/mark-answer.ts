// By what an answer is recognised when its client sends the conversation again.
import { nextHash, STEP_GAP } from '../../sessions/match-history.ts';
import { listAnswersOfTurn } from '../../store/children.ts';
import { listAnswerCalls } from '../../store/client-calls.ts';
import type { Db } from '../../store/database.ts';
import { insertMark } from '../../store/history-marks.ts';
import type { RunningTurn } from './turn-progress.ts';

/** In the transaction that ends a turn. @param messageId with which the answer ends; null: there is none */
export async function markAnswer(
  db: Db,
  { live, request }: Pick<RunningTurn, 'live' | 'request'>,
  messageId: string | null,
): Promise<void> {
  const { chain = null } = request.placed ?? {};
  if (chain === null || messageId === null) return;
  const { sessionId, turnId } = live;
  const steps = await listAnswersOfTurn(db, sessionId, turnId);
  const texts = steps.map(({ content }) => content).filter((text) => text !== '');
  const calls = await listAnswerCalls(db, sessionId, messageId);
  const toolCalls = calls.filter(({ runs_at: place }) => place === 'client').map((call) => call.function);
  const hash = nextHash(chain.end, { role: 'assistant', content: texts.join(STEP_GAP), toolCalls });
  await insertMark(db, { hash, sessionId, messageId });
}
