// What one answer of /api/chat looks like on the wire, as plain data, and builders for the usual ones.
import { type HttpAnswer, jsonAnswer } from './http-answer.ts';

/** A tool call as the model asks for it. */
export type FakeToolCall = {
  readonly name: string;
  readonly args: unknown;
  /** Absent: a fresh `call_` + 8 characters each time it is sent; false: no id, as before v0.12.10. */
  readonly id?: string | false;
  /** Absent: the position among the calls of the whole answer; false: none, as before v0.4.7. */
  readonly index?: number | false;
};

/** The `message` of one chunk; keys that are absent here are absent on the wire. */
export type FakeMessage = {
  readonly content?: string;
  readonly thinking?: string;
  readonly toolCalls?: readonly FakeToolCall[];
};

/** Fields of the done chunk. Null leaves one out, and so does 0, as Go's omitempty does. */
export type FinalFields = {
  readonly done_reason?: string | null;
  readonly total_duration?: number | null;
  readonly load_duration?: number | null;
  readonly prompt_eval_count?: number | null;
  readonly prompt_eval_duration?: number | null;
  readonly eval_count?: number | null;
  readonly eval_duration?: number | null;
};

/** One thing that happens while an answer is sent. A script whose steps end without `final` ends in a clean EOF. */
export type ScriptStep =
  | { readonly type: 'chunk'; readonly message: FakeMessage }
  | { readonly type: 'final'; readonly message: FakeMessage; readonly fields: FinalFields }
  /** Sent as it is, plus "\n": error lines, garbage, blank lines. */
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'pause'; readonly ms: number }
  /** As long as the test likes. */
  | { readonly type: 'gate'; readonly opens: Promise<unknown> }
  | { readonly type: 'hang' }
  | { readonly type: 'destroy' };

/** Bytes per write; `whole` is one line per write, `joined` everything in one. */
export type SplitMode = 'whole' | 'joined' | 'byte' | number;

/** One answer to one /api/chat request. */
export type ChatScript = {
  /** Sent instead of a stream. */
  readonly answer?: HttpAnswer;
  readonly steps: readonly ScriptStep[];
  /** Time until the first byte, headers included: Ollama sends nothing before the first chunk. */
  readonly firstTokenMs?: number;
  /** Time between two chunks. */
  readonly everyMs?: number;
  readonly split?: SplitMode;
  /** False: the last line has no "\n". */
  readonly finalNewline?: boolean;
  /** Lines are rendered once per model and reused, `created_at` included. For benchmarks. */
  readonly cached?: boolean;
  /** An engine that does not know num_predict, and has no window to fill. */
  readonly ignoresLimits?: boolean;
};

const done: ScriptStep = { type: 'final', message: { content: '' }, fields: {} };

function chunk(message: FakeMessage): ScriptStep {
  return { type: 'chunk', message };
}

/** One content chunk per piece, then the done chunk. */
export function text(...pieces: readonly string[]): ChatScript {
  return { steps: [...pieces.map((content) => chunk({ content })), done] };
}

/** `count` content chunks `t0 `, `t1 `, … */
export function tokens(count: number): ChatScript {
  return text(...Array.from({ length: count }, (_, position) => `t${position} `));
}

/** One chunk whose line is a little over `bytes` long; the Go client allows lines of 8 MB. */
export function hugeLine(bytes: number): ChatScript {
  return text('x'.repeat(bytes));
}

/** Thinking chunks (beside an empty `content`), then content chunks. */
export function thinking(thoughts: readonly string[], pieces: readonly string[] = []): ChatScript {
  return {
    steps: [
      ...thoughts.map((thought) => chunk({ content: '', thinking: thought })),
      ...text(...pieces).steps,
    ],
  };
}

/** A single call. `early`: in a done:false chunk (rendered path); `final`: on the done chunk (native path). */
export function toolCall(
  name: string,
  args: unknown,
  options: { on?: 'early' | 'final'; id?: string | false; index?: number | false } = {},
): ChatScript {
  const { on = 'early', ...call } = options;
  return toolCalls([{ name, args, ...call }], on);
}

/** Several calls in one chunk. */
export function toolCalls(calls: readonly FakeToolCall[], on: 'early' | 'final' = 'early'): ChatScript {
  const message = { content: '', toolCalls: calls };
  if (on === 'early') return { steps: [chunk(message), done] };
  return { steps: [{ type: 'final', message, fields: {} }] };
}

/** Each call in a chunk of its own. */
export function twoChunks(...calls: readonly FakeToolCall[]): ChatScript {
  return { steps: [...calls.map((call) => chunk({ content: '', toolCalls: [call] })), done] };
}

/** Any chunks, for shapes without a builder, e.g. thinking and content in one. */
export function chunks(...messages: readonly FakeMessage[]): ChatScript {
  return { steps: [...messages.map(chunk), done] };
}

/** Several scripts as one answer: the done chunks of all but the last are dropped. */
export function sequence(...scripts: readonly ChatScript[]): ChatScript {
  const steps = scripts.flatMap((part, position) =>
    part.steps.filter((step) => step.type !== 'final' || position === scripts.length - 1),
  );
  return { ...scripts.at(-1), steps };
}

/** An HTTP status with `{"error": …}`: a string, an object, or (see `exceedContextError`) JSON inside a string. */
export function httpError(status: number, error: unknown, headers: Record<string, string> = {}): ChatScript {
  return httpAnswer(jsonAnswer(status, { error }, headers));
}

/** Any whole HTTP answer: `htmlAnswer()`, `emptyAnswer(503)`, `redirectAnswer(…)`, `plainAnswer(…)`. */
export function httpAnswer(answer: HttpAnswer): ChatScript {
  return { answer, steps: [] };
}

/** Accepts the request and never sends a byte. */
export function mute(): ChatScript {
  return { steps: [{ type: 'hang' }] };
}
