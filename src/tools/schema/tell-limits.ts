// Limits of a value in words: engines drop them from schemas, and a model can still read them in the description.
import { cutText } from '../../kit/whole-characters.ts';
import type { JsonSchema } from '../tool.ts';
import { isSchema } from './expand-node.ts';

const LIMITS: readonly (readonly [key: string, tell: (value: unknown) => string])[] = [
  ['default', (value) => `default: ${shown(value)}`],
  ['minimum', (value) => `at least ${shown(value)}`],
  ['exclusiveMinimum', (value) => `more than ${shown(value)}`],
  ['maximum', (value) => `at most ${shown(value)}`],
  ['exclusiveMaximum', (value) => `less than ${shown(value)}`],
  ['multipleOf', (value) => `a multiple of ${shown(value)}`],
  ['format', (value) => `format: ${String(value)}`],
  ['pattern', (value) => `pattern: ${String(value)}`],
  ['minLength', (value) => `at least ${shown(value)} characters`],
  ['maxLength', (value) => `at most ${shown(value)} characters`],
  ['minItems', (value) => `at least ${shown(value)} items`],
  ['maxItems', (value) => `at most ${shown(value)} items`],
  ['uniqueItems', () => 'no item twice'],
];

/** Longer ones say nothing to a model. */
const MAX_SHOWN = 200;

/** A description with the limits after it; undefined where there is nothing to say. */
export function describeWithLimits(node: JsonSchema): string | undefined {
  const { description } = node;
  const said = typeof description === 'string' ? description.trim() : '';
  const limits = LIMITS.filter(([key]) => isTold(node[key])).map(([key, tell]) =>
    cutText(tell(node[key]), MAX_SHOWN),
  );
  const values = node['additionalProperties'];
  if (isSchema(values) && typeof values['type'] === 'string') limits.push(`each value: ${values['type']}`);
  const inBrackets = limits.length === 0 ? '' : `(${limits.join('; ')})`;
  const text = [said, inBrackets].filter((part) => part !== '').join(' ');
  return text === '' ? undefined : text;
}

/** Null is what "not given" looks like where an argument may be left out. */
function isTold(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
