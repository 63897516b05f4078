// How a turn is to be answered, as a request of any dialect says it.
import { type AnswerWishes, type ToolChoice, USUAL_WISHES } from '../chat/answer-wishes.ts';
import type { Truncation } from '../chat/passing-request.ts';
import type { Think } from '../contract/engine.ts';
import { invalidField, MochiError } from '../contract/errors.ts';

export interface TurnSettings extends AnswerWishes {
  /** What becomes of older exchanges that have no room in a passing turn. */
  readonly truncation: Truncation;
}

type ClientTools = AnswerWishes['clientTools'];

/** What goes without saying for these clients: who compacts what was said must hear that it is too long. */
export const USUAL_SETTINGS: TurnSettings = { ...USUAL_WISHES, think: null, truncation: 'refuse' };

const INT32_MAX = 2 ** 31 - 1;
/** Options that engines take as whole numbers; a client may send any. */
const WHOLE = new Set([
  'num_predict',
  'num_ctx',
  'seed',
  'top_k',
  'num_keep',
  'repeat_last_n',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
]);

/** Options that engines take as fractions. */
const FRACTIONS = new Set([
  'temperature',
  'top_p',
  'min_p',
  'typical_p',
  'repeat_penalty',
  'presence_penalty',
  'frequency_penalty',
]);
const FLAGS = new Set(['use_mmap']);

/**
 * Engine options of what a client gives by their names; null and what no engine has a use for are as if absent.
 * `num_ctx` is no option here, but a wish for room: taken literally, each client would load the model anew.
 * @param named fields of the request itself, which win
 * @throws MochiError validation_error where an engine would refuse the type
 */
export function readOptions(
  given: Readonly<Record<string, unknown>> | null | undefined,
  named: Readonly<Record<string, unknown>> = {},
): Pick<TurnSettings, 'options' | 'windowAtLeast'> {
  const options: Record<string, string | number | boolean | string[]> = {};
  const own = Object.entries(named).filter(([, value]) => value != null);
  for (const [name, value] of Object.entries({ ...given, ...Object.fromEntries(own) })) {
    if (value === null) continue;
    checkType(name, value);
    if (name === 'stop') Object.assign(options, readStop(value));
    else if (typeof value === 'number') options[name] = WHOLE.has(name) ? toWhole(value) : value;
    else if (typeof value === 'string' || typeof value === 'boolean') options[name] = value;
  }
  const { num_ctx: window, num_predict: length, ...rest } = options;
  return {
    options: { ...rest, ...(typeof length === 'number' && length >= 1 && { num_predict: length }) },
    windowAtLeast: typeof window === 'number' && window >= 1 ? window : null,
  };
}

function checkType(name: string, value: unknown): void {
  const isNumber = WHOLE.has(name) || FRACTIONS.has(name);
  if (isNumber && typeof value !== 'number') throw invalidField(`/options/${name}`, 'must be a number');
  if (FLAGS.has(name) && typeof value !== 'boolean') {
    throw invalidField(`/options/${name}`, 'must be true or false');
  }
}

function toWhole(value: number): number {
  return Math.max(-INT32_MAX - 1, Math.min(INT32_MAX, Math.trunc(value)));
}

/** An empty one would end every answer at once. */
function readStop(value: unknown): { readonly stop?: string[] } {
  const stop = [value].flat().filter((text): text is string => typeof text === 'string' && text !== '');
  return stop.length === 0 ? {} : { stop };
}

/** What vendors call efforts; one that nobody knows yet is left to the model. */
const EFFORTS: Readonly<Record<string, Think>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
  ultra: 'high',
};

export function readEffort(effort: string | null | undefined): Think | null {
  return effort == null ? null : (EFFORTS[effort] ?? null);
}

const TOOL_NAME = /^[A-Za-z0-9_.:-]{1,128}$/;
const MAX_TOOLS = 512;
/** Characters of all schemas together. */
const MAX_SCHEMAS = 1024 * 1024;

/** A tool as its client gives it, and where in the request. */
export interface GivenTool {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly schema?: Readonly<Record<string, unknown>> | null | undefined;
  readonly path: string;
}

/** @throws MochiError validation_error */
export function readTools(given: readonly GivenTool[]): ClientTools {
  if (given.length > MAX_TOOLS) throw invalidField('/tools', `must not have more than ${MAX_TOOLS} entries`);
  let size = 0;
  const tools = given.map(({ name, description, schema, path }) => {
    if (!TOOL_NAME.test(name)) {
      throw invalidField(`${path}/name`, 'must be 1 to 128 of A-Z a-z 0-9 _ . : -');
    }
    size += JSON.stringify(schema ?? {}).length;
    const inputSchema = toObjectSchema(schema ?? {});
    return { name, description: description ?? '', inputSchema, isUnchecked: true };
  });
  if (size > MAX_SCHEMAS) throw invalidField('/tools', 'must not have more than 1 MB of schemas');
  // Some clients send one twice; the last is what they mean, as in an object with two members of a name.
  return [...new Map(tools.map((tool) => [tool.name, tool])).values()];
}

/** Clients leave out what goes without saying. */
function toObjectSchema(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...schema, type: schema['type'] ?? 'object', properties: schema['properties'] ?? {} };
}

/**
 * The choice with the tools that it leaves.
 * @throws MochiError validation_error where a tool is forced that is not there
 */
export function chooseTools(
  tools: ClientTools,
  choice: ToolChoice,
  path = '/tool_choice',
): Pick<TurnSettings, 'clientTools' | 'toolChoice'> {
  if (choice === 'none') return { clientTools: [], toolChoice: 'none' };
  if (choice === 'auto') return { clientTools: tools, toolChoice: 'auto' };
  if (tools.length === 0) throw invalidField(path, 'must not ask for a call where no tool is given');
  if (choice !== 'required' && !tools.some(({ name }) => name === choice.name)) {
    throw invalidField(path, `must name one of the tools: ${choice.name} is none`);
  }
  return { clientTools: tools, toolChoice: choice };
}

/** A field that would change the meaning of the answer. @throws MochiError unsupported_parameter */
export function refuseParameter(parameter: string, reason: string): never {
  throw new MochiError('unsupported_parameter', `${parameter} is not supported: ${reason}.`, { parameter });
}
