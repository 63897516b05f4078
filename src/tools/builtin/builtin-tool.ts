// A tool that comes with the server and runs in it, as a source of its own: bounded in time and output like any other.
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { cutOutput } from '../groups/cut-output.ts';
import type { DescribedTool, JsonSchema, ToolOutcome, ToolRunContext, ToolSource } from '../tool.ts';

export interface BuiltinTool {
  readonly description: string;
  readonly inputSchema: JsonSchema;
  /** It changes nothing. */
  readonly readOnly: boolean;
  /** The same call may be made again without harm. */
  readonly repeatable?: boolean;
  /** Why it cannot be used here, for people; missing: it can. */
  readonly problem?: string | null;
  /** @throws BuiltinFault, whose message a model reads */
  run(args: Readonly<Record<string, unknown>>, call: BuiltinCall): Promise<string>;
}

interface BuiltinCall {
  /** Null for a person's own run. */
  readonly sessionId: string | null;
  /** Aborted when the call is cancelled or its time is up. */
  readonly signal: AbortSignal;
}

/** What a model is told of a call that did not do what it should; nothing has taken effect. */
export class BuiltinFault extends Error {
  override readonly name = 'BuiltinFault';
}

export interface BuiltinLimits {
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

export function createBuiltinSource(name: string, tool: BuiltinTool, limits: BuiltinLimits): ToolSource {
  const { description, inputSchema, readOnly, repeatable = false, problem = null } = tool;
  const described: DescribedTool = {
    name,
    description,
    inputSchema,
    readOnly,
    repeatable,
    needsApproval: false,
    timeoutMs: null,
  };
  return {
    name: { kind: 'builtin', group: name },
    describe: async () =>
      problem === null
        ? { tools: [described], problems: [] }
        : { tools: [], problems: [{ source: `builtin:${name}`, message: problem }] },
    run: (_name, args, context) => runBuiltin(tool, args, context, limits),
    close: async () => undefined,
  };
}

async function runBuiltin(
  tool: BuiltinTool,
  args: Readonly<Record<string, unknown>>,
  { sessionId, signal: cancelled }: ToolRunContext,
  { timeoutMs, maxOutputBytes }: BuiltinLimits,
): Promise<ToolOutcome> {
  if (cancelled.aborted) return failed('The call was cancelled before the tool began');
  const signal = AbortSignal.any([cancelled, AbortSignal.timeout(timeoutMs)]);
  try {
    const text = await unlessAborted(tool.run(args, { sessionId, signal }), signal);
    return { ...failed(''), ...cutOutput(text, maxOutputBytes), state: 'succeeded' };
  } catch (error) {
    if (error instanceof BuiltinFault) return failed(error.message);
    const why = cancelled.aborted
      ? 'The call was cancelled while the tool ran'
      : signal.aborted
        ? `The tool did not end within ${timeoutMs / 1000} s and was stopped`
        : `The tool failed (${error instanceof Error ? error.message : String(error)})`;
    return tool.readOnly ? failed(why) : { ...failed(`${why}; it may have taken effect`), state: 'unknown' };
  }
}

function failed(text: string): ToolOutcome {
  return { state: 'failed', text, truncated: false, images: [], log: null };
}
