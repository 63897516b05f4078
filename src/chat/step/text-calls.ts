// Calls that a model wrote into its answer, in one of the forms that it was trained on, instead of making them.
import { MAX_ARGUMENT_DEPTH, MAX_CALLS } from '../../contract/tool.ts';
import { storableJson } from '../../kit/storable-json.ts';

/** What a text says to call. */
export interface TextCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Longer texts are answers. */
export const MAX_CALL_TEXT = 8000;

/** What calls begin with that are not JSON alone. */
const MARKS = ['<tool_call>', '<function=', '[TOOL_CALLS]', '<|python_tag|>'];
const FENCE = '```';
/** Of an object that is a call; no other is allowed in one. */
const KEYS = ['name', 'arguments', 'parameters', 'id', 'type'];

/** Whether a text, as far as it has come, can still turn out to be calls and nothing else. */
export function mayBeCalls(text: string): boolean {
  if (text.length > MAX_CALL_TEXT) return false;
  const begun = text.trimStart();
  if (MARKS.some((mark) => begun.startsWith(mark) || mark.startsWith(begun))) return true;
  if (FENCE.startsWith(begun)) return true;
  return mayBeJsonCalls(begun.replace(/^```\w*\s*/, ''));
}

/** JSON is often the answer itself: the first key tells. */
function mayBeJsonCalls(json: string): boolean {
  const object = json.startsWith('[') ? json.slice(1).trimStart() : json;
  if (object === '') return true;
  if (!object.startsWith('{')) return false;
  const inner = object.slice(1).trimStart();
  const { key = '', end } = /^"(?<key>\w*)(?<end>"?)/.exec(inner)?.groups ?? {};
  if (end === undefined) return inner === '';
  return end === '"' ? KEYS.includes(key) : KEYS.some((known) => known.startsWith(key));
}

/** @returns the calls that a text consists of; null: it is a text, be it with calls in it */
export function readTextCalls(text: string, names: ReadonlySet<string>): readonly TextCall[] | null {
  if (text.length > MAX_CALL_TEXT) return null;
  const calls = readForms(text.trim());
  const isUsable =
    calls !== null &&
    calls.length > 0 &&
    calls.length <= MAX_CALLS &&
    calls.every(({ name }) => names.has(name));
  return isUsable ? calls : null;
}

function readForms(text: string): TextCall[] | null {
  const marked = /^(?:\[TOOL_CALLS\]|<\|python_tag\|>)(?<json>[^]*)$/.exec(text)?.groups?.['json'];
  if (marked !== undefined) return fromJson(marked);
  if (text.startsWith('<')) return readTags(text);
  const fenced = /^```\w*\s*\n(?<json>[^]*?)\n?\s*```$/.exec(text)?.groups?.['json'];
  return fromJson(fenced ?? text);
}

/** `<tool_call>` around JSON or a function, again and again; or functions alone. */
function readTags(text: string): TextCall[] | null {
  const calls: TextCall[] = [];
  const tag = /\s*(?:<tool_call>(?<call>[^]*?)<\/tool_call>|(?<bare><function=[^]*?<\/function>))\s*/y;
  while (tag.lastIndex < text.length) {
    const { call, bare } = tag.exec(text)?.groups ?? {};
    const inner = call?.trim() ?? bare;
    const read = inner === undefined ? null : inner.startsWith('<') ? fromFunction(inner) : fromJson(inner);
    if (read === null) return null;
    calls.push(...read);
  }
  return calls;
}

/** `<function=name><parameter=key>value</parameter></function>`; values are text, and read by the schema later. */
function fromFunction(text: string): TextCall[] | null {
  const { name, body = '' } =
    /^<function=(?<name>[^<>\s]+)>(?<body>[^]*)<\/function>$/.exec(text)?.groups ?? {};
  if (name === undefined) return null;
  const members: [string, unknown][] = [];
  const parameter = /\s*<parameter=(?<key>[^<>]+)>(?<value>[^]*?)<\/parameter>\s*/y;
  while (parameter.lastIndex < body.trimEnd().length) {
    const { key, value } = parameter.exec(body)?.groups ?? {};
    if (key === undefined || value === undefined) return null;
    members.push([key.trim(), value.replace(/^\n|\n$/g, '')]);
  }
  return [{ name, arguments: Object.fromEntries(members) }];
}

function fromJson(text: string): TextCall[] | null {
  let value: unknown;
  try {
    value = storableJson(JSON.parse(text), MAX_ARGUMENT_DEPTH);
  } catch {
    return null;
  }
  const calls = (Array.isArray(value) ? value : [value]).map(toCall);
  return calls.includes(null) ? null : calls.filter((call) => call !== null);
}

function toCall(value: unknown): TextCall | null {
  if (!isObject(value) || !Object.keys(value).every((key) => KEYS.includes(key))) return null;
  const { name, arguments: given, parameters } = value;
  if (typeof name !== 'string' || (given !== undefined && parameters !== undefined)) return null;
  const args = given ?? parameters ?? {};
  return isObject(args) ? { name, arguments: args } : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
