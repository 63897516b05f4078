// Types of values, by the names that JSON Schema has for them.
import type { JsonSchema } from '../tool.ts';
import { isSchema, textsOf } from './expand-node.ts';

export function typesOf({ type }: JsonSchema): string[] {
  return typeof type === 'string' ? [type] : textsOf(type);
}

/** The values that a schema lists, whichever way; null: it lists none. */
export function valuesOf(node: JsonSchema): readonly unknown[] | null {
  if (Object.hasOwn(node, 'const')) return [node['const']];
  return Array.isArray(node['enum']) ? node['enum'] : null;
}

/** What a schema means that names no type. */
export function impliedTypes(node: JsonSchema): string[] {
  const values = valuesOf(node);
  if (values !== null) return [...new Set(values.map(jsonTypeOf))];
  if (isSchema(node['properties'])) return ['object'];
  return isSchema(node['items']) || Array.isArray(node['prefixItems']) ? ['array'] : [];
}

/** Whole numbers are integers. */
export function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
