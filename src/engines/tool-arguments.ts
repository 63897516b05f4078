// The arguments of a call as models write them: an object, its JSON text, or what is neither and stays a text.
import type { EngineToolCall } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { MAX_ARGUMENT_DEPTH } from '../contract/tool.ts';
import { storableJson } from '../kit/storable-json.ts';

/** @throws MochiError tool_calls_unusable */
export function toToolArguments(value: unknown): EngineToolCall['arguments'] {
  if (value === undefined || value === null) return {};
  const given = storableJson(typeof value === 'string' ? parsed(value) : value, MAX_ARGUMENT_DEPTH);
  if (given === undefined) {
    throw new MochiError(
      'tool_calls_unusable',
      `The model called a tool with arguments nested over ${MAX_ARGUMENT_DEPTH} levels deep. Try again, or another model.`,
      { limit: MAX_ARGUMENT_DEPTH },
    );
  }
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return { ...given };
  return typeof given === 'string' ? given : JSON.stringify(given);
}

/** The value of a JSON text; any other text as it is. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : text;
  } catch {
    return text;
  }
}
