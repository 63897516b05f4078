// What a native tool returns, as text for a model.
import { inspect } from 'node:util';

/** The original's words. */
const NOTHING = 'Tool executed successfully (no return value)';

/** Text as it is, everything else as JSON. Of a tool that yields, the last counts. @throws what it throws */
export async function resultText(result: unknown): Promise<string> {
  if (isAsyncIterable(result)) {
    let last: unknown;
    for await (const item of result) last = item;
    return resultText(last);
  }
  if (typeof result === 'string') return result;
  if (result === undefined || result === null) return NOTHING;
  if (typeof result === 'bigint' || typeof result === 'symbol') return String(result);
  try {
    return JSON.stringify(result) ?? NOTHING;
  } catch {
    // It holds itself, or numbers that JSON has not.
    return inspect(result, { depth: 8 });
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
