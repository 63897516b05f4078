// What the server and a worker say to each other: JSON messages, over IPC with Node, over a pair of pipes with Python.
// Replies come from a process that runs foreign code, so each is looked at before it counts.
import type { JsonSchema, ToolProgress, ToolRunContext } from '../tool.ts';

/** What a tool may know of its call, as it crosses. */
type CallContext = Omit<ToolRunContext, 'signal' | 'onProgress'>;

export interface RunOrder {
  readonly type: 'run';
  readonly id: number;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly context: CallContext;
  /** Written to stdout and stderr when the call has ended: what comes before it was printed by the call. */
  readonly mark: string;
}

export type WorkerOrder = RunOrder | { readonly type: 'abort'; readonly id: number };

/** A tool as its module describes it. */
export interface LoadedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly readOnly: boolean;
  readonly repeatable: boolean;
  readonly needsApproval: boolean;
  readonly timeoutSeconds: number | null;
}

export type WorkerReply =
  | { readonly type: 'loaded'; readonly tools: readonly LoadedTool[]; readonly problems: readonly string[] }
  /** The module cannot be used. */
  | { readonly type: 'refused'; readonly message: string }
  /** Sent before the tool is called: without it, nothing has happened. */
  | { readonly type: 'began'; readonly id: number }
  | ({ readonly type: 'progress'; readonly id: number } & ToolProgress)
  | {
      readonly type: 'ended';
      readonly id: number;
      readonly success: boolean;
      readonly text: string;
      readonly truncated: boolean;
    };

/** What a worker is started with: its last argument, as JSON. */
export interface WorkerSetup {
  /** Absolute path of the module. */
  readonly entry: string;
  readonly toolsFolder: string;
  readonly group: string;
  readonly maxOutputBytes: number;
}

/** @returns null for what is no reply */
export function readReply(value: unknown): WorkerReply | null {
  if (!isRecord(value)) return null;
  const { type, id } = value;
  if (type === 'loaded') {
    const { tools, problems } = value;
    if (!Array.isArray(tools) || !tools.every(isLoadedTool)) return null;
    return { type, tools, problems: Array.isArray(problems) ? problems.map(String) : [] };
  }
  if (type === 'refused') return { type, message: String(value['message']) };
  if (typeof id !== 'number') return null;
  if (type === 'began') return { type, id };
  if (type === 'progress') {
    const message = typeof value['message'] === 'string' ? value['message'] : null;
    return {
      type,
      id,
      message,
      progress: numberOrNull(value['progress']),
      total: numberOrNull(value['total']),
    };
  }
  if (type === 'ended' && typeof value['text'] === 'string') {
    const { text } = value;
    return { type, id, success: value['success'] === true, text, truncated: value['truncated'] === true };
  }
  return null;
}

function isLoadedTool(value: unknown): value is LoadedTool {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    typeof value['description'] === 'string' &&
    isRecord(value['inputSchema']) &&
    ['readOnly', 'repeatable', 'needsApproval'].every((flag) => typeof value[flag] === 'boolean') &&
    (value['timeoutSeconds'] === null || typeof value['timeoutSeconds'] === 'number')
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
