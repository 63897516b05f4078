// Where an answer ends whatever its script: at num_predict, or, without one, far beyond the window.
import type { RequestBody } from './chat-request.ts';
import type { ChatScript, ScriptStep } from './chat-script.ts';

export type LimitedScript = {
  readonly script: ChatScript;
  /** The context slid: the beginning of the prompt was lost on the way, and nothing on the wire says so. */
  readonly shifts: boolean;
};

/** One chunk is one token. Without `shift` an answer ends at the window (llm/llama_server.go). */
export function limitScript(
  script: ChatScript,
  body: RequestBody,
  { promptTokens, window }: { readonly promptTokens: number; readonly window: number },
): LimitedScript {
  if (script.ignoresLimits) return { script, shifts: false };
  const room = Math.max(0, window - promptTokens);
  const asked = Number(body.options?.['num_predict'] ?? -1);
  // boundedNumPredict: "no limit" is ten windows.
  const wanted = asked >= 0 ? Math.trunc(asked) : 10 * window;
  const limit = body.shift === false ? Math.min(wanted, room) : wanted;
  const length = script.steps.filter((step) => step.type === 'chunk').length;
  return {
    script: length > limit ? { ...script, steps: cut(script.steps, limit) } : script,
    shifts: Math.min(length, limit) > room,
  };
}

function cut(steps: readonly ScriptStep[], limit: number): ScriptStep[] {
  let seen = 0;
  const kept = steps.filter((step) => {
    if (step.type === 'final') return false;
    if (step.type === 'chunk') seen += 1;
    return seen <= limit;
  });
  return [...kept, { type: 'final', message: { content: '' }, fields: { done_reason: 'length' } }];
}
