// Arguments as small models write them, brought to what the schema wants where there is only one way to read them.
import { fittingObjects, isRequired, memberPart, SchemaReader, wantedTypes } from '../schema/alternatives.ts';
import { isSchema, membersOf } from '../schema/expand-node.ts';
import { jsonTypeOf } from '../schema/node-types.ts';
import type { JsonSchema } from '../tool.ts';
import { type Arguments, parsed } from './parse-arguments.ts';

export interface CoercedArguments {
  readonly arguments: Arguments;
  /** What was changed and where, never a value. */
  readonly repairs: readonly string[];
}

/** Further ones say nothing new. */
const MAX_REPAIRS = 50;

interface Walk {
  readonly reader: SchemaReader;
  readonly repairs: string[];
}

/** What cannot be read otherwise stays as it is: the validation tells of it. */
export function coerceArguments(args: Arguments, schema: JsonSchema): CoercedArguments {
  const walk: Walk = { reader: new SchemaReader(schema), repairs: [] };
  const coerced = coerceMembers(walk, args, { alternatives: walk.reader.alternatives(schema), path: '' });
  return { arguments: coerced, repairs: walk.repairs };
}

interface Place {
  readonly alternatives: readonly JsonSchema[];
  /** JSON pointer. */
  readonly path: string;
}

function coerceMembers(walk: Walk, value: Arguments, { alternatives, path }: Place): Arguments {
  const objects = fittingObjects(alternatives, value);
  const members = membersOf(value).flatMap(([name, member]): [string, unknown][] => {
    const here = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const place = { alternatives: walk.reader.alternatives(memberPart(objects, name)), path: here };
    if (isNothing(member, place) && !isRequired(objects, name)) {
      tell(walk, `${here}: ${member === null ? 'null' : 'empty text'} left out`);
      return [];
    }
    return [[name, coerce(walk, member, place)]];
  });
  return Object.fromEntries(members);
}

/** How models say that they give nothing, where that is no value that is wanted. */
function isNothing(value: unknown, { alternatives }: Place): boolean {
  if (value !== null && value !== '') return false;
  const wanted = wantedTypes(alternatives);
  return wanted !== null && !wanted.has(value === null ? 'null' : 'string');
}

function coerce(walk: Walk, given: unknown, place: Place): unknown {
  const wanted = wantedTypes(place.alternatives);
  if (wanted === null) return given;
  const value = isWanted(wanted, given) ? given : converted(walk, given, { wanted, path: place.path });
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      const parts = place.alternatives.flatMap((node) => itemPart(node, index));
      const part = parts.length > 1 ? { anyOf: parts } : parts[0];
      const path = `${place.path}/${index}`;
      return coerce(walk, item, { alternatives: walk.reader.alternatives(part), path });
    });
  }
  return isSchema(value) ? coerceMembers(walk, value, place) : value;
}

function itemPart({ prefixItems, items }: JsonSchema, index: number): unknown[] {
  const part: unknown = (Array.isArray(prefixItems) ? prefixItems[index] : undefined) ?? items;
  return part === undefined ? [] : [part];
}

function isWanted(wanted: ReadonlySet<string>, value: unknown): boolean {
  const type = jsonTypeOf(value);
  return wanted.has(type) || (type === 'integer' && wanted.has('number'));
}

interface Wish {
  readonly wanted: ReadonlySet<string>;
  readonly path: string;
}

function converted(walk: Walk, value: unknown, { wanted, path }: Wish): unknown {
  const type = jsonTypeOf(value);
  if (typeof value === 'string') {
    const read = readText(value, wanted);
    if (read !== undefined) tell(walk, `${path}: text read as ${jsonTypeOf(read)}`);
    return read === undefined ? value : read;
  }
  if (value === null || !wanted.has('string')) return value;
  tell(walk, `${path}: ${type} written as text`);
  return JSON.stringify(value);
}

const YES = ['true', '1', 'yes'];
const NO = ['false', '0', 'no'];

/** @returns undefined where the text is none of what is wanted */
function readText(text: string, wanted: ReadonlySet<string>): unknown {
  const word = text.trim();
  if (wanted.has('integer') || wanted.has('number')) {
    const number = readNumber(word);
    if (number !== undefined && isWanted(wanted, number)) return number;
  }
  if (wanted.has('boolean')) {
    if (YES.includes(word.toLowerCase())) return true;
    if (NO.includes(word.toLowerCase())) return false;
  }
  if (wanted.has('array') || wanted.has('object')) {
    const value = /^[[{]/.test(word) ? parsed(word) : undefined;
    if (value !== undefined && wanted.has(jsonTypeOf(value))) return value;
  }
  return undefined;
}

/** Only where the number is the one that the text says: a long one would silently become another. */
function readNumber(word: string): number | undefined {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word)) return undefined;
  const number = Number(word);
  if (!Number.isFinite(number)) return undefined;
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? undefined : number;
}

function tell({ repairs }: Walk, repair: string): void {
  if (repairs.length < MAX_REPAIRS) repairs.push(repair.slice(0, 200).toWellFormed());
}
