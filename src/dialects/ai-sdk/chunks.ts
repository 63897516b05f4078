// Chunks of a UI message stream, of those kinds that every version since 5 reads; approvals are of 6 and later.

export interface Chunk {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface ToldCall {
  readonly tool_call_id: string;
  readonly tool_name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** So that a client takes a call that runs here for none of its own. */
const RUNS_HERE = { dynamic: true, providerExecuted: true };

export function inputChunk(call: ToldCall, runsAt: 'server' | 'client'): Chunk {
  return {
    type: 'tool-input-available',
    toolCallId: call.tool_call_id,
    toolName: call.tool_name,
    input: call.arguments,
    ...(runsAt === 'server' && RUNS_HERE),
  };
}

export interface ToldResult {
  readonly tool_call_id: string;
  readonly success: boolean;
  /** What came of it, or why nothing did. */
  readonly text: string;
}

export function outputChunk({ tool_call_id: toolCallId, success, text }: ToldResult): Chunk {
  return success
    ? { type: 'tool-output-available', toolCallId, output: text, ...RUNS_HERE }
    : { type: 'tool-output-error', toolCallId, errorText: text, ...RUNS_HERE };
}

export function textChunks(kind: 'text' | 'reasoning', messageId: string, text: string): Chunk[] {
  if (text === '') return [];
  const id = partId(kind, messageId);
  return [
    { type: `${kind}-start`, id },
    { type: `${kind}-delta`, id, delta: text },
    { type: `${kind}-end`, id },
  ];
}

export function partId(kind: 'text' | 'reasoning', messageId: string): string {
  return `${messageId}-${kind === 'text' ? 't' : 'r'}`;
}
