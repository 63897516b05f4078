// What came of the calls that were left to a client: messages on the path, one for each call, before the turn goes on.
import { invalidField } from '../contract/errors.ts';
import type { ClientToolResult } from '../contract/tool.ts';
import { appendToPath } from '../store/active-path.ts';
import { type HandedCall, listHandedCalls } from '../store/client-calls.ts';
import type { Db } from '../store/database.ts';
import type { PathPlace } from '../store/path-place.ts';
import { answerToolCall } from '../store/tool-calls.ts';
import { type CallResult, failure, success } from './step/call-result.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';

/** Of a call that nobody has told a result of when the conversation goes on. */
const NO_RESULT = failure('no result was given');

/**
 * Each call that is open at the end of the path gets its result, or is told that there is none. Inside the caller's
 * transaction.
 * @param tip from where the conversation goes on; calls beyond it stay open
 * @returns from where it goes on then
 * @throws MochiError validation_error for results of calls that are not open
 */
export async function answerHandedCalls(
  { db, newId, now }: Pick<TurnDeps, 'db' | 'newId' | 'now'>,
  goOn: {
    readonly sessionId: string;
    /** Null: no turn has brought them. */
    readonly turnId: string | null;
    readonly tip: PathPlace | null;
    readonly results: readonly ClientToolResult[];
  },
): Promise<PathPlace | null> {
  const { sessionId, turnId, tip, results } = goOn;
  const calls = await listHandedCalls(db, sessionId);
  requireOpen(calls, results);
  const given = new Map(results.map((result) => [result.tool_call_id, result]));
  let place = tip;
  for (const { messageId, depth, callIndex, callId, name } of calls) {
    if (place === null || place.depth < depth) return tip;
    const { content, success: isSuccess } = toCallResult(given.get(callId));
    const id = newId(10);
    place = await appendToPath(db, place, {
      sessionId,
      id,
      role: 'tool',
      content,
      timestamp: now(),
      status: 'complete',
      toolName: name,
      toolCallId: callId,
      ...(turnId !== null && { turnId }),
    });
    await answerToolCall(db, { sessionId, messageId, callIndex }, { messageId: id, success: isSuccess });
  }
  return place;
}

function toCallResult(result: ClientToolResult | undefined): CallResult {
  if (result === undefined) return NO_RESULT;
  return result.is_error === true ? failure(result.content) : success(result.content);
}

/** Before anything of the request is stored. @throws MochiError validation_error */
export async function checkResults(
  db: Db,
  sessionId: string,
  { toolResults, replaces }: Pick<TurnRequest, 'toolResults' | 'replaces'>,
): Promise<void> {
  if (toolResults.length === 0) return;
  if (replaces !== null) {
    throw invalidField('/tool_results', 'must not stand beside `replaces`, which goes on before them');
  }
  requireOpen(await listHandedCalls(db, sessionId), toolResults);
}

function requireOpen(calls: readonly HandedCall[], results: readonly ClientToolResult[]): void {
  const open = new Set(calls.map(({ callId }) => callId));
  for (const [index, { tool_call_id: id }] of results.entries()) {
    // Each once.
    if (open.delete(id)) continue;
    throw invalidField(
      `/tool_results/${index}/tool_call_id`,
      'is no call that waits for the client: unknown, answered, or given twice',
    );
  }
}
