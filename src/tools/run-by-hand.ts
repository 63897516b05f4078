// A person's own run of a tool: arguments as carefully as a model's, nobody asked, the operator's denial obeyed.
import { MochiError } from '../contract/errors.ts';
import type { ToolRun } from '../contract/tool.ts';
import { checkArguments } from './arguments/check-arguments.ts';
import { deniedText, digestOfCall } from './prepare-call.ts';
import type { RegisteredTool } from './registered-tool.ts';
import type { ToolOutcome } from './tool.ts';
import type { Tools } from './tools.ts';

/** What is about to run. */
interface HandRun {
  readonly executionId: string;
  readonly tool: RegisteredTool;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly digest: string;
  readonly repairs: readonly string[];
}

/** Remembers the run: `begin` before the tool does, `end` before anybody is told. */
export interface HandJournal {
  begin(run: HandRun): Promise<void>;
  end(executionId: string, outcome: ToolOutcome, durationMs: number): Promise<void>;
}

export interface RunByHand {
  readonly tool: RegisteredTool;
  /** An object, its JSON text, or what is neither. */
  readonly arguments: unknown;
  readonly executionId: string;
  readonly signal: AbortSignal;
  /** Null: nobody remembers it. */
  readonly journal: HandJournal | null;
}

/** @throws MochiError validation_error, tool_execution_denied; what the journal throws; a tool that fails is an answer */
export async function runByHand(
  tools: Tools,
  { tool, arguments: given, executionId, signal, journal }: RunByHand,
): Promise<ToolRun> {
  const checked = checkArguments(given, tool);
  if (!checked.ok) {
    const errors = checked.misfits.map(({ path, message }) => ({ path: `/arguments${path}`, message }));
    throw new MochiError('validation_error', checked.text, { errors, tool_name: tool.name });
  }
  const { arguments: args, repairs } = checked;
  const rule = tools.denyRuleOf(tool.name, args);
  if (rule !== null) {
    const details = { tool_name: tool.name, rule };
    throw new MochiError('tool_execution_denied', deniedText(tool.name), details);
  }
  await journal?.begin({ executionId, tool, arguments: args, digest: digestOfCall(tool, args), repairs });
  const began = performance.now();
  const outcome = await tools.run(
    { tool, arguments: args },
    {
      sessionId: null,
      turnId: null,
      toolCallId: null,
      executionId,
      attempt: 1,
      idempotencyKey: executionId,
      signal,
      onProgress: () => undefined,
    },
  );
  const durationMs = Math.round(performance.now() - began);
  await journal?.end(executionId, outcome, durationMs);
  const isSuccess = outcome.state === 'succeeded';
  return {
    execution_id: executionId,
    tool_name: tool.name,
    success: isSuccess,
    result: isSuccess ? outcome.text : '',
    error: isSuccess ? null : outcome.text,
    duration_ms: durationMs,
    repairs: [...repairs],
    truncated: outcome.truncated,
  };
}
