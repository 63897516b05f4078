import type { EngineToolCall } from '../../contract/engine.ts';

/** Arguments as a client sees them; what was no JSON object has none to show. */
export function shownArguments(call: EngineToolCall): Record<string, unknown> {
  return typeof call.arguments === 'string' ? {} : { ...call.arguments };
}
