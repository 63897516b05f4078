// A source of tools that a test writes: what it has, and what a run does.
import type {
  DescribedTool,
  ToolOutcome,
  ToolProblem,
  ToolRunContext,
  ToolSource,
  ToolSourceName,
  ToolSourceState,
} from '../../src/tools/tool.ts';

export interface ScriptedTool extends Partial<DescribedTool> {
  readonly name: string;
  /** Its result; the arguments as JSON where missing. */
  readonly run?: (args: Readonly<Record<string, unknown>>, context: ToolRunContext) => Promise<ToolOutcome>;
}

export interface ScriptedState {
  readonly tools: readonly ScriptedTool[];
  readonly problems?: readonly ToolProblem[];
  /** What `describe` waits for. */
  readonly until?: Promise<unknown>;
}

/** Has a lifetime, as its processes would. */
export class ScriptedSource implements ToolSource {
  readonly name: ToolSourceName;
  readonly runs: { readonly tool: string; readonly args: unknown }[] = [];
  closed = 0;
  readonly #state: ScriptedState;

  constructor(group: string, state: ScriptedState, kind: ToolSourceName['kind'] = 'native') {
    this.name = { kind, group };
    this.#state = state;
  }

  async describe(): Promise<ToolSourceState> {
    await this.#state.until;
    return {
      problems: this.#state.problems ?? [],
      tools: this.#state.tools.map(({ run: _run, ...tool }) => ({
        description: `What ${tool.name} does.`,
        inputSchema: { type: 'object' },
        readOnly: false,
        repeatable: false,
        needsApproval: false,
        timeoutMs: null,
        ...tool,
      })),
    };
  }

  async run(
    toolName: string,
    args: Readonly<Record<string, unknown>>,
    context: ToolRunContext,
  ): Promise<ToolOutcome> {
    this.runs.push({ tool: toolName, args });
    const tool = this.#state.tools.find(({ name }) => name === toolName);
    if (tool?.run !== undefined) return tool.run(args, context);
    return succeeded(JSON.stringify(args));
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

export function succeeded(text: string): ToolOutcome {
  return { state: 'succeeded', text, truncated: false, images: [], log: null };
}

export function runContext(): ToolRunContext {
  return {
    sessionId: null,
    turnId: null,
    toolCallId: null,
    executionId: 'exec_0123456789ab',
    attempt: 1,
    idempotencyKey: 'exec_0123456789ab',
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
}
