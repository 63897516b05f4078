// What a model wrote as arguments, as an object: its text is parsed, never mended by guess.
import { MAX_ARGUMENT_DEPTH } from '../../contract/tool.ts';
import { jsonFault } from '../../kit/json-fault.ts';
import { atOnce } from '../../kit/stretches.ts';
import { knowsMember } from '../schema/alternatives.ts';
import { isSchema, membersOf } from '../schema/expand-node.ts';
import type { JsonSchema } from '../tool.ts';

export type Arguments = Readonly<Record<string, unknown>>;

export type ParsedArguments =
  | { readonly ok: true; readonly arguments: Arguments; readonly repairs: readonly string[] }
  /** The fault completes "The arguments …". */
  | { readonly ok: false; readonly fault: string };

/** Of the arguments as JSON text. */
const MAX_BYTES = 256 * 1024;
/** Around the arguments, where models put the form of a call into the call. */
const WRAPPERS = ['parameters', 'arguments'];

export function parseArguments(given: unknown, schema: JsonSchema): ParsedArguments {
  const repairs: string[] = [];
  let value = given;
  if (typeof value === 'string') {
    if (Buffer.byteLength(value) > MAX_BYTES) return { ok: false, fault: TOO_LARGE };
    try {
      value = JSON.parse(value);
    } catch {
      return { ok: false, fault: 'are not valid JSON' };
    }
    repairs.push('arguments: text read as JSON');
  }
  if (!isSchema(value)) return { ok: false, fault: 'must be a JSON object' };
  const fault = atOnce(jsonFault(value, { maxDepth: MAX_ARGUMENT_DEPTH }));
  if (fault !== null) return { ok: false, fault: `must be usable: what was given ${fault}` };
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_BYTES) return { ok: false, fault: TOO_LARGE };
  const inner = unwrapped(value, schema);
  if (inner !== null) repairs.push(`arguments: taken out of "${inner.wrapper}"`);
  return { ok: true, arguments: inner?.value ?? value, repairs };
}

const TOO_LARGE = `may not be over ${MAX_BYTES / 1024} kB`;

/** What stands in the one member that the tool does not know. */
function unwrapped(value: Arguments, schema: JsonSchema): { wrapper: string; value: Arguments } | null {
  const [only, ...others] = membersOf(value);
  if (only === undefined || others.length > 0) return null;
  const [wrapper, content] = only;
  if (!WRAPPERS.includes(wrapper) || knowsMember(schema, wrapper)) return null;
  const inner = typeof content === 'string' ? parsed(content) : content;
  return isSchema(inner) ? { wrapper, value: inner } : null;
}

/** The value of a JSON text; undefined for any other. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
