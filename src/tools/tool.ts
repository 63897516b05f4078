// A tool as the rest of the house knows it, wherever it comes from; and the port that every source implements.
import type { ToolSourceKind } from '../contract/tool.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Where a tool comes from. */
export interface ToolSourceName {
  readonly kind: ToolSourceKind;
  /** The folder, the MCP server, or the name of the shipped tool. */
  readonly group: string;
}

/** A tool as its source describes it, before anything is made of it for models. */
export interface DescribedTool {
  /** What the model calls it: `^[A-Za-z0-9_-]{1,64}$`. */
  readonly name: string;
  readonly description: string;
  /** The whole JSON Schema of the arguments: what they are validated against. */
  readonly inputSchema: JsonSchema;
  /** It changes nothing: a call that a crash cut may simply be made again, and may run beside others. */
  readonly readOnly: boolean;
  /** A call may be repeated without harm: it is no loop when a model makes the same one again. */
  readonly repeatable: boolean;
  /** It asks for an approval itself. */
  readonly needsApproval: boolean;
  /** Nobody is asked whether it runs, whatever a session says; only rules of the operator bind it. Default: false. */
  readonly asksNobody?: boolean;
  /** Limit of one run, in milliseconds; null: the server's. */
  readonly timeoutMs: number | null;
}

/** Something of a source that cannot be used, in words for people. */
export interface ToolProblem {
  /** `python:weather`, `mcp:github`. */
  readonly source: string;
  readonly message: string;
}

/** What a source has at one moment. */
export interface ToolSourceState {
  readonly tools: readonly DescribedTool[];
  readonly problems: readonly ToolProblem[];
}

/** What a tool asks a person while it runs. */
export interface ToolQuestion {
  readonly message: string;
  /** Of the answer. */
  readonly schema: JsonSchema;
  /** Who asks. */
  readonly server: string;
}

/** decline: they do not want to; cancel: nobody answered. */
export type ToolAnswer =
  | { readonly action: 'accept'; readonly content: Readonly<Record<string, unknown>> }
  | { readonly action: 'decline' | 'cancel' };

/** It wants answers before it goes on, and is run again with them: nothing has to be kept running meanwhile. */
export interface ToolAsks {
  /** What it wants back; null: nothing. */
  readonly state: string | null;
  /** Each with the name under which its answer is expected. */
  readonly questions: readonly { readonly key: string; readonly question: ToolQuestion }[];
}

/** What it wanted back, and the answers. */
export interface ToolResume {
  readonly state: string | null;
  readonly answers: Readonly<Record<string, ToolAnswer>>;
}

/** What a run may know of where it stands. */
export interface ToolRunContext {
  /** Null for a person's own run. */
  readonly sessionId: string | null;
  readonly turnId: string | null;
  readonly toolCallId: string | null;
  readonly executionId: string;
  /** From 1. */
  readonly attempt: number;
  /** The same over retries of one call. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** At most ten a second are passed on; the rest is dropped. */
  readonly onProgress: (progress: ToolProgress) => void;
  /** Missing: nobody can be asked. Never rejects. @param signal aborted when the answer is not wanted any more */
  readonly askPerson?: (question: ToolQuestion, signal: AbortSignal) => Promise<ToolAnswer>;
  /** An earlier run of this call has asked. */
  readonly resume?: ToolResume;
}

export interface ToolProgress {
  readonly message: string | null;
  readonly progress: number | null;
  readonly total: number | null;
}

/** How a run ended. */
export interface ToolOutcome {
  /**
   * succeeded; failed: the tool said no, or never began; unknown: it began, and was stopped or lost, so that it may have
   * taken effect (the text says so).
   */
  readonly state: 'succeeded' | 'failed' | 'unknown';
  /** The result as text, or what went wrong in words that a model can use. */
  readonly text: string;
  /** The text was cut at the output limit. */
  readonly truncated: boolean;
  /** Base64, for models with vision. */
  readonly images: readonly string[];
  /** The end of what it printed, at most 64 kB; null: nothing. */
  readonly log: string | null;
  /** It has not ended: only told where a person can be asked; the rest is for those who do not ask. */
  readonly asks?: ToolAsks;
}

/** Several tools from one place: a group of a folder, an MCP server, the shipped ones. Has a lifetime: until `close`. */
export interface ToolSource {
  readonly name: ToolSourceName;
  /** The agent whose tools these are: their names are their own within it. Null or missing: they are everybody's. */
  readonly agent?: string | null;
  /** Never throws; what cannot be loaded is a problem. */
  describe(): Promise<ToolSourceState>;
  /** Never throws. @param args validated against the tool's schema */
  run(
    toolName: string,
    args: Readonly<Record<string, unknown>>,
    context: ToolRunContext,
  ): Promise<ToolOutcome>;
  /** Ends its processes. */
  close(): Promise<void>;
}
