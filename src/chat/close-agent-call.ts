// A run of an agent that the end of the server has cut: the call that had started it says so, with what was done.
import { type RunEnd, runResult } from '../agents/result-text.ts';
import { appendToPath } from '../store/active-path.ts';
import { findSession } from '../store/sessions.ts';
import { answerToolCall, listUnsettledCalls } from '../store/tool-calls.ts';
import { findRunningExecution, finishExecution } from '../store/tool-executions.ts';
import type { UnfinishedTurn } from '../store/turns.ts';
import { failure } from './step/call-result.ts';
import { listToldSteps } from './told-steps.ts';
import type { TurnDeps } from './turn-deps.ts';

/** Of what is told of it, in characters. */
const LIMIT = 16_000;

/** Inside the transaction that closes the run. */
export async function closeAgentCall(
  { db, newId, now }: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  { id: runId, sessionId: chatId, run }: Pick<UnfinishedTurn, 'id' | 'sessionId' | 'run'>,
  end: RunEnd,
): Promise<void> {
  if (run?.parent == null) return;
  const { sessionId, messageId, callIndex, turnId } = run.parent;
  const session = await findSession(db, sessionId);
  const open = await listUnsettledCalls(db, sessionId, messageId);
  const call = open.find((one) => one.callIndex === callIndex);
  if (session === null || session.headId === null || call === undefined) return;
  const steps = await listToldSteps(db, chatId, runId);
  const result = failure(runResult({ chatId, agentName: run.agentName, steps, end }, LIMIT).text);
  const id = newId(10);
  await appendToPath(
    db,
    { id: session.headId, depth: session.headDepth },
    {
      sessionId,
      id,
      role: 'tool',
      content: result.content,
      timestamp: now(),
      status: 'complete',
      toolName: call.name,
      toolCallId: call.call.id,
      turnId,
    },
  );
  const key = { sessionId, messageId, callIndex };
  await answerToolCall(db, key, { messageId: id, success: false });
  const execution = await findRunningExecution(db, key);
  if (execution === null) return;
  await finishExecution(db, execution.id, {
    state: 'failed',
    finishedAt: now(),
    durationMs: Math.max(0, Date.parse(now()) - Date.parse(execution.startedAt)),
    error: result.text,
    truncated: false,
    resultBytes: Buffer.byteLength(result.text),
    output: null,
    log: null,
  });
}
