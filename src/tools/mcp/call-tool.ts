// One call of a tool of a server, from what is sent to its outcome. It is sent once.
import type { Tool } from '@modelcontextprotocol/client';
import { cutOutput } from '../groups/cut-output.ts';
import type { ToolAsks, ToolOutcome, ToolResume, ToolRunContext } from '../tool.ts';
import { CallDeadline } from './call-deadline.ts';
import type { McpConnection } from './connect.ts';
import { isCut } from './cut-answers.ts';
import { type Asker, asksOf, toElicitResult } from './elicitation.ts';
import { hasCode, isRefusal, statusOf, wordsOf } from './mcp-faults.ts';
import { readResult } from './result-content.ts';

export interface McpCall {
  /** Its name. */
  readonly server: string;
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
/** The SDK counts on while a person is asked: it is given so much that ours ends first. Milliseconds. */
const NEVER_MS = 2_000_000_000;
/** How often a server is told that nobody answers. */
const MAX_DECLINED = 3;
const UNANSWERED =
  'The tool asks a person for input before it goes on, and nobody can be asked; it did not finish';
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
  const deadline = new CallDeadline({ periodMs: timeoutMs, totalMs: LONGEST_CALL_MS });
  const asker = askerOf(context, deadline);
  connection.askers.add(asker);
  const send = (resume: ToolResume | undefined) =>
    connection.client.callTool(
      { name: tool.name, arguments: { ...args }, _meta: metaOf(context), ...paramsOf(resume) },
      {
        signal: AbortSignal.any([signal, deadline.signal]),
        timeout: NEVER_MS,
        onprogress: progressOf(context, deadline),
        allowInputRequired: true,
        toolDefinition,
      },
    );
  try {
    let result = await send(context.resume);
    for (let declined = 0; !Array.isArray(result.content); declined += 1) {
      const asks = asksOf(call.server, result);
      if (asks === null || declined === MAX_DECLINED) return failedBefore(UNANSWERED);
      if (context.askPerson !== undefined) return { ...failedBefore(UNANSWERED), asks };
      result = await send(declinedBy(asks));
    }
    const { text, images } = readResult(result);
    const cut = cutOutput(text, call.maxOutputBytes);
    return { ...cut, state: result.isError === true ? 'failed' : 'succeeded', images, log: null };
  } catch (error) {
    return outcomeOf(error, connection, call, { signal, isLate: deadline.signal.aborted });
  } finally {
    deadline.close();
    connection.askers.delete(asker);
  }
}

/** While a person is asked, the time of the call stands still. */
function askerOf({ askPerson }: ToolRunContext, deadline: CallDeadline): Asker {
  if (askPerson === undefined) return { ask: null };
  return {
    async ask(question, signal) {
      const goOn = deadline.pause();
      try {
        return toElicitResult(await askPerson(question, signal));
      } finally {
        goOn();
      }
    },
  };
}

function paramsOf(resume: ToolResume | undefined) {
  if (resume === undefined) return {};
  const answers = Object.entries(resume.answers).map(([key, answer]) => [key, toElicitResult(answer)]);
  return {
    inputResponses: Object.fromEntries(answers),
    ...(resume.state !== null && { requestState: resume.state }),
  };
}

/** Nobody can be asked. */
function declinedBy({ state, questions }: ToolAsks): ToolResume {
  const answers = questions.map(({ key }) => [key, { action: 'decline' }]);
  return { state, answers: Object.fromEntries(answers) };
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
  { signal, isLate }: { readonly signal: AbortSignal; readonly isLate: boolean },
): ToolOutcome | null {
  const stopped = (why: string): ToolOutcome =>
    readOnly ? failedBefore(why) : { ...failedBefore(`${why}; it may have taken effect`), state: 'unknown' };
  if (signal.aborted) return stopped('The call was cancelled while the tool ran');
  if (isLate) {
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

function progressOf({ onProgress }: ToolRunContext, deadline: CallDeadline) {
  let last = Number.NEGATIVE_INFINITY;
  return (step: { progress: number; total?: number | undefined; message?: string | undefined }) => {
    deadline.renew();
    if (performance.now() - last < PROGRESS_PAUSE_MS) return;
    last = performance.now();
    onProgress({ message: step.message ?? null, progress: step.progress, total: step.total ?? null });
  };
}
