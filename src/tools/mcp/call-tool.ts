// One call of a tool of a server, from what is sent to its outcome. It is sent once.
import type { Tool } from '@modelcontextprotocol/client';
import { cutOutput } from '../groups/cut-output.ts';
import type { ToolOutcome, ToolRunContext } from '../tool.ts';
import type { McpConnection } from './connect.ts';
import { isCut } from './cut-answers.ts';
import { hasCode, isRefusal, statusOf, wordsOf } from './mcp-faults.ts';
import { readResult } from './result-content.ts';

export interface McpCall {
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>>;
  /** Counted anew with each progress. */
  readonly timeoutMs: number;
  /** It changes nothing: what is stopped has had no effect. */
  readonly readOnly: boolean;
  readonly maxOutputBytes: number;
}

/** With whatever progress. Milliseconds. */
const LONGEST_CALL_MS = 600_000;
const PROGRESS_PAUSE_MS = 100;
/** Names of what a server may know of the call, in its `_meta`. */
const META = 'mochi-server/';

/** What has had no effect. */
export function failedBefore(text: string): ToolOutcome {
  return { state: 'failed', text, truncated: false, images: [], log: null };
}

/** @returns null: the server did not take the call, and it may be sent over a new connection. Never throws */
export async function callTool(
  connection: McpConnection,
  call: McpCall,
  context: ToolRunContext,
): Promise<ToolOutcome | null> {
  const { signal } = context;
  const { tool, args, timeoutMs } = call;
  // Closed meanwhile.
  if (connection.client.transport === undefined) return null;
  if (signal.aborted) return failedBefore('The call was cancelled before the tool began');
  // Without the schema of its results: what a tool has done is not undone by an answer of another form.
  const { outputSchema: _outputSchema, ...toolDefinition } = tool;
  try {
    const result = await connection.client.callTool(
      { name: tool.name, arguments: { ...args }, _meta: metaOf(context) },
      {
        signal,
        timeout: timeoutMs,
        resetTimeoutOnProgress: true,
        maxTotalTimeout: LONGEST_CALL_MS,
        onprogress: progressOf(context),
        allowInputRequired: true,
        toolDefinition,
      },
    );
    // A server of the newer protocol that asks a person something.
    if (!Array.isArray(result.content)) {
      return failedBefore(
        'The tool asks a person for input before it goes on, and nobody can be asked; it did not finish',
      );
    }
    const { text, images } = readResult(result);
    const cut = cutOutput(text, call.maxOutputBytes);
    return { ...cut, state: result.isError === true ? 'failed' : 'succeeded', images, log: null };
  } catch (error) {
    return outcomeOf(error, connection, call, signal);
  }
}

function metaOf({ executionId, attempt, idempotencyKey }: ToolRunContext): Record<string, unknown> {
  return {
    [`${META}execution-id`]: executionId,
    [`${META}attempt`]: attempt,
    [`${META}idempotency-key`]: idempotencyKey,
  };
}

function outcomeOf(
  error: unknown,
  connection: McpConnection,
  { tool, timeoutMs, readOnly }: McpCall,
  signal: AbortSignal,
): ToolOutcome | null {
  const stopped = (why: string): ToolOutcome =>
    readOnly ? failedBefore(why) : { ...failedBefore(`${why}; it may have taken effect`), state: 'unknown' };
  // The SDK calls this a timeout, too.
  if (signal.aborted) return stopped('The call was cancelled while the tool ran');
  if (hasCode(error, 'REQUEST_TIMEOUT')) {
    return stopped(`The tool did not end within ${timeoutMs / 1000} s and was stopped`);
  }
  if (isRefusal(error) && !isCut(error))
    return failedBefore(`The server refused the call: ${wordsOf(error)}`);
  if (isNotTaken(error, connection)) return null;
  const status = statusOf(error);
  if (status !== null && status >= 400 && status < 500) {
    return failedBefore(`The server refused the call (HTTP ${status})`);
  }
  return stopped(`The connection to the server of ${tool.name} was lost while the tool ran`);
}

/** Nobody was there, or nobody who knows our session: the call has not begun. */
function isNotTaken(error: unknown, { hasSession }: McpConnection): boolean {
  if (hasCode(error, 'ECONNREFUSED', 'NOT_CONNECTED')) return true;
  const status = statusOf(error);
  return hasSession() && (status === 404 || (status === 400 && /session/i.test(wordsOf(error))));
}

function progressOf({ onProgress }: ToolRunContext) {
  let last = Number.NEGATIVE_INFINITY;
  return (step: { progress: number; total?: number | undefined; message?: string | undefined }) => {
    if (performance.now() - last < PROGRESS_PAUSE_MS) return;
    last = performance.now();
    onProgress({ message: step.message ?? null, progress: step.progress, total: step.total ?? null });
  };
}
