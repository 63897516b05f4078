// What authors of tools import as `mochi-server/tools`: a function that gives their tool its types and nothing else.

/** What a tool may know of its call. */
export interface ToolContext {
  /** Null when a person runs the tool. */
  readonly sessionId: string | null;
  readonly turnId: string | null;
  readonly toolCallId: string | null;
  readonly executionId: string;
  /** From 1. */
  readonly attempt: number;
  /** The same over retries of one call: hand it to services that know such keys. */
  readonly idempotencyKey: string;
  /** Aborted when the call is cancelled or its time is up; a second later the process is killed. */
  readonly signal: AbortSignal;
  /** The same signal, by the name that tools of the AI SDK read. */
  readonly abortSignal: AbortSignal;
  /** At most ten a second are shown. */
  progress(
    step: string | { readonly message?: string; readonly progress?: number; readonly total?: number },
  ): void;
}

/** Anything that describes its own JSON Schema: Zod from 4.2, ArkType, Valibot through its adapter. */
export interface SchemaOf<Input> {
  readonly '~standard': {
    readonly types?: { readonly input: unknown; readonly output: Input } | undefined;
    readonly jsonSchema: {
      readonly input: (options: { target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

export interface ToolDefinition<Input> {
  /** Default: the name of the export. */
  readonly name?: string;
  /** For the model: when to use it, and what it does. */
  readonly description: string;
  /** A JSON Schema of an object, or a schema that describes one. Default: no arguments. */
  readonly inputSchema?: SchemaOf<Input> | Readonly<Record<string, unknown>>;
  /** Text goes to the model as it is, everything else as JSON. */
  execute(input: Input, context: ToolContext): unknown;
  /** It changes nothing. */
  readonly readOnly?: boolean;
  /** The same call may be made again without harm. */
  readonly repeatable?: boolean;
  /** A person is asked before it runs. */
  readonly needsApproval?: boolean;
  readonly timeoutSeconds?: number;
}

/** Returns what it is given. */
export function defineTool<Input = Record<string, unknown>>(
  tool: ToolDefinition<Input>,
): ToolDefinition<Input> {
  return tool;
}
