// What does not fit in arguments, so that a small model can mend them: each path, what is expected, what is required.
import type { ErrorObject } from 'ajv/dist/2020.js';
import { cutText } from '../../kit/whole-characters.ts';
import { SchemaReader } from '../schema/alternatives.ts';
import { isSchema, textsOf } from '../schema/expand-node.ts';
import type { JsonSchema } from '../tool.ts';

const MAX_LENGTH = 600;
const MAX_NAMES = 160;
const MAX_MISFIT = 200;
/** Misfits that are looked at: the text has room for a few. */
const MAX_LOOKED_AT = 200;

/** A place, and what is expected there. */
export interface Misfit {
  /** JSON pointer; '': the arguments as a whole. */
  readonly path: string;
  /** Completes the path: "must be integer". */
  readonly message: string;
}

/** At most 600 characters. */
export function misfitText(misfits: readonly Misfit[], schema: JsonSchema): string {
  const names = namesText(schema);
  const start = 'The arguments do not fit: ';
  const room = MAX_LENGTH - start.length - names.length - '; and 1000 more.'.length;
  const parts: string[] = [];
  let length = 0;
  for (const { path, message } of misfits) {
    const part = cutText(`${path === '' ? 'they' : path} ${message}`, MAX_MISFIT);
    length += part.length + 2;
    if (length > room) break;
    parts.push(part);
  }
  const left = misfits.length - parts.length;
  return `${start}${parts.join('; ')}${left > 0 ? `; and ${Math.min(left, 999)} more` : ''}.${names}`;
}

/** Without what follows from a choice, of which every branch has something to say. */
export function listMisfits(errors: readonly ErrorObject[]): Misfit[] {
  const looked = errors.slice(0, MAX_LOOKED_AT);
  const choices = new Set(
    looked.filter(({ keyword }) => isChoice(keyword)).map(({ instancePath }) => instancePath),
  );
  const kept = looked.filter((error) => {
    if (!choices.has(error.instancePath)) return true;
    const others = looked.filter(
      (other) => isUnder(other, error.instancePath) && !isChoice(other.keyword) && !isTypeAt(other, error),
    );
    if (isChoice(error.keyword))
      return others.length === 0 && !looked.some((other) => isTypeAt(other, error));
    return error.keyword !== 'type' || others.length === 0;
  });
  const messages = new Map<string, Misfit>();
  for (const error of kept.filter(({ keyword }) => keyword !== 'type').map(toMisfit)) {
    messages.set(`${error.path} ${error.message}`, error);
  }
  const typesAt = Map.groupBy(
    kept.filter(({ keyword }) => keyword === 'type'),
    ({ instancePath }) => instancePath,
  );
  const types = [...typesAt].map(([path, wrong]) => {
    const wanted = new Set(wrong.flatMap(({ params }) => params['type'] as string | string[]));
    return { path, message: `must be ${[...wanted].join(' or ')}` };
  });
  return [...types, ...messages.values()];
}

function isChoice(keyword: string): boolean {
  return keyword === 'anyOf' || keyword === 'oneOf';
}

function isUnder({ instancePath }: ErrorObject, path: string): boolean {
  return instancePath === path || instancePath.startsWith(`${path}/`);
}

function isTypeAt({ keyword, instancePath }: ErrorObject, place: ErrorObject): boolean {
  return keyword === 'type' && instancePath === place.instancePath;
}

function toMisfit({ keyword, instancePath: path, params, message = 'does not fit' }: ErrorObject): Misfit {
  switch (keyword) {
    case 'required':
      return { path: `${path}/${params['missingProperty']}`, message: 'is missing' };
    case 'additionalProperties':
      return { path: `${path}/${params['additionalProperty']}`, message: 'is not known' };
    case 'unevaluatedProperties':
      return { path: `${path}/${params['unevaluatedProperty']}`, message: 'is not known' };
    case 'enum':
      return { path, message: `must be one of ${shownList(params['allowedValues'])}` };
    case 'const':
      return { path, message: `must be ${JSON.stringify(params['allowedValue'])}` };
    case 'anyOf':
    case 'oneOf':
      return { path, message: 'must fit exactly one of the forms that the tool knows' };
    default:
      return { path, message };
  }
}

function shownList(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : 'what is allowed';
}

/** What is required; where nothing is, what there is. */
function namesText(schema: JsonSchema): string {
  const alternatives = new SchemaReader(schema).alternatives(schema);
  const required = new Set(alternatives.flatMap((node) => textsOf(node['required'])));
  const known = new Set(
    alternatives.flatMap(({ properties }) => (isSchema(properties) ? Object.keys(properties) : [])),
  );
  const optional = [...known].filter((name) => !required.has(name));
  return [
    required.size > 0 && ` Required: ${cutNames([...required])}.`,
    optional.length > 0 && ` Optional: ${cutNames(optional)}.`,
  ]
    .filter((part) => part !== false)
    .join('');
}

function cutNames(names: readonly string[]): string {
  const text = names.join(', ');
  return text.length > MAX_NAMES ? `${cutText(text, MAX_NAMES - 1)}…` : text;
}
