// Renders the steps of a script as the lines that Ollama would write.
import { randomBytes } from 'node:crypto';
import type { ChatScript, FakeMessage, FakeToolCall, FinalFields, ScriptStep } from './chat-script.ts';
import { goJson, goTime } from './go-json.ts';

/** Steps that put bytes on the wire. */
type LineStep = Extract<ScriptStep, { type: 'chunk' | 'final' | 'line' }>;

/** What a line needs to know of the request. */
export type LineContext = {
  /** As the request spelled it. */
  readonly model: string;
  readonly promptTokens: number;
  readonly loadMs: number;
  /** For a slot: it counts in the total only. */
  readonly waitedMs: number;
  /** As /api/generate says it; absent: as /api/chat does. */
  readonly isGenerated?: boolean;
};

export function isLineStep(step: ScriptStep): step is LineStep {
  return step.type === 'chunk' || step.type === 'final' || step.type === 'line';
}

/** Renders one answer; keeps count of its tool calls. */
export function createLineRenderer(script: ChatScript, context: LineContext) {
  let callCount = 0;

  function said(from: FakeMessage): Record<string, unknown> {
    const { content = '', thinking } = from;
    if (context.isGenerated) return { response: content, ...(thinking && { thinking }) };
    return { message: message(from) };
  }

  function message(from: FakeMessage): Record<string, unknown> {
    return {
      role: 'assistant',
      ...(from.content !== undefined && { content: from.content }),
      ...(from.thinking && { thinking: from.thinking }),
      ...(from.toolCalls && { tool_calls: from.toolCalls.map((call) => renderCall(call, callCount++)) }),
    };
  }

  /** The object of a chunk. */
  function body(step: Exclude<LineStep, { type: 'line' }>): Record<string, unknown> {
    const common = { model: context.model, created_at: goTime(), ...said(step.message) };
    if (step.type === 'chunk') return { ...common, done: false };
    return { ...common, done: true, ...finalFieldsOf(script, step.fields, context) };
  }

  /** The line of a step, with its "\n". */
  function line(step: LineStep): Buffer {
    return Buffer.from(`${step.type === 'line' ? step.text : goJson(body(step))}\n`);
  }

  return { body, line };
}

const cache = new WeakMap<ScriptStep, Map<string, Buffer>>();

/** The line of a step of a cached script; the done chunk depends on the request and is never cached. */
export function cachedLine(step: LineStep, model: string, render: () => Buffer): Buffer {
  if (step.type === 'final') return render();
  const byModel = cache.get(step) ?? new Map<string, Buffer>();
  cache.set(step, byModel);
  const line = byModel.get(model) ?? render();
  byModel.set(model, line);
  return line;
}

function renderCall(call: FakeToolCall, position: number): unknown {
  const { id = newCallId(), index = position } = call;
  return {
    ...(id !== false && { id }),
    function: { ...(index !== false && { index }), name: call.name, arguments: call.args },
  };
}

/** `call_` and 8 of [a-z0-9], as the rendered path makes them. */
function newCallId(): string {
  return `call_${Array.from(randomBytes(8), (byte) => (byte % 36).toString(36)).join('')}`;
}

/** Plausible numbers, in nanoseconds; what is null or 0 is left out. */
function finalFieldsOf(
  script: ChatScript,
  fields: FinalFields,
  context: LineContext,
): Record<string, unknown> {
  const evalCount = script.steps.filter((step) => step.type === 'chunk').length;
  const loadDuration = context.loadMs * 1e6 + 1_334_875;
  const promptDuration = (script.firstTokenMs ?? 0) * 1e6 + context.promptTokens * 1e5;
  const evalDuration = evalCount * Math.max(script.everyMs ?? 0, 1) * 1e6;
  const all: FinalFields = {
    done_reason: 'stop',
    total_duration: Math.round(
      loadDuration + context.waitedMs * 1e6 + promptDuration + evalDuration + 1_500_000,
    ),
    load_duration: Math.round(loadDuration),
    prompt_eval_count: context.promptTokens,
    prompt_eval_duration: Math.round(promptDuration),
    eval_count: evalCount,
    eval_duration: Math.round(evalDuration),
    ...fields,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== 0));
}
