// A call as Qwen, Hermes and many others write it: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`.
import type { EngineToolCall } from '../../contract/engine.ts';
import { randomHex } from '../../kit/ids.ts';
import { toToolArguments } from '../tool-arguments.ts';

/** @param text what stands between the marks @returns null: it is no call */
export function readToolCall(text: string): EngineToolCall | null {
  try {
    const { name, arguments: given }: { name?: unknown; arguments?: unknown } = Object(JSON.parse(text));
    if (typeof name !== 'string' || name === '') return null;
    return { id: `call_${randomHex(8)}`, name: name.toWellFormed(), arguments: toToolArguments(given) };
  } catch {
    return null;
  }
}
