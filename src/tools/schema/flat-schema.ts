// The schema of a tool as small models and engines read it: what they keep is type, description, enum, items, properties,
// required and anyOf; everything else is said with these, or told in the description.
import type { JsonSchema } from '../tool.ts';
import { isSchema, membersOf, SchemaExpander, textsOf } from './expand-node.ts';
import { impliedTypes, typesOf, valuesOf } from './node-types.ts';
import { describeWithLimits } from './tell-limits.ts';

/** Parts of one schema that are read; the largest sensible ones have a fraction of this. */
const MAX_PARTS = 5000;

interface FlatNode {
  readonly schema: JsonSchema;
  /** It may be null: then it can as well be left out. */
  readonly isNullable: boolean;
}

/** @returns `{type: 'object', required?, properties}`; the whole schema is what validates */
export function flatSchema(root: JsonSchema): JsonSchema {
  const expander = new SchemaExpander(root, MAX_PARTS);
  const { properties, required, anyOf } = flatten(expander, root, []).schema;
  // Of a choice at the top nothing would arrive: its branches together are what may be given.
  const branches = Array.isArray(anyOf) ? anyOf.filter(isSchema) : [];
  const all = new Map(membersOf(properties));
  for (const [name, part] of branches.flatMap((branch) => membersOf(branch['properties']))) {
    if (!all.has(name)) all.set(name, part);
  }
  const inEach = branches.map((branch) => new Set(textsOf(branch['required'])));
  const always = [...all.keys()].filter(
    (name) =>
      textsOf(required).includes(name) || (inEach.length > 0 && inEach.every((names) => names.has(name))),
  );
  return {
    type: 'object',
    ...(always.length > 0 && { required: always }),
    properties: Object.fromEntries(all),
  };
}

function flatten(expander: SchemaExpander, part: unknown, trail: readonly string[]): FlatNode {
  const expanded = expander.expand(part, trail);
  // It goes on like this for ever: anything may be in it.
  if (expanded === null) return { schema: { type: 'object' }, isNullable: false };
  const { node } = expanded;
  const choice = flattenChoice(expander, node, expanded.trail);
  const allowed = valuesOf(node);
  const values = allowed?.filter((value) => value !== null) ?? null;
  const named = typesOf(node);
  const types = (named.length > 0 ? named : impliedTypes(node)).filter((type) => type !== 'null');
  const isNullable =
    choice.isNullable ||
    // Both, where both are there.
    (named.includes('null') && (allowed === null || allowed.includes(null))) ||
    (named.length === 0 && allowed !== null && allowed.includes(null));
  const description = describeWithLimits(node) ?? choice.schema['description'];
  return {
    isNullable,
    schema: {
      ...choice.schema,
      ...(types.length > 0 && { type: types.length === 1 ? types[0] : types }),
      ...(description !== undefined && { description }),
      ...(values !== null && values.length > 0 && { enum: values }),
      ...flattenItems(expander, node, expanded.trail),
      ...flattenProperties(expander, node, expanded.trail),
    },
  };
}

/** `anyOf` and `oneOf`: without null, and as plain types where that says the same. */
function flattenChoice(expander: SchemaExpander, node: JsonSchema, trail: readonly string[]): FlatNode {
  const choices = [node['anyOf'], node['oneOf']].flatMap((parts) => (Array.isArray(parts) ? parts : []));
  const branches = choices.map((choice) => flatten(expander, choice, trail));
  const isNullable = branches.some((branch) => branch.isNullable);
  const real = branches.map(({ schema }) => schema).filter((schema) => Object.keys(schema).length > 0);
  const [first] = real;
  if (first === undefined) return { schema: {}, isNullable };
  if (real.length === 1) return { schema: first, isNullable };
  if (real.every((schema) => Object.keys(schema).join() === 'type')) {
    const types = [...new Set(real.flatMap(({ type }) => type))];
    return { schema: { type: types.length === 1 ? types[0] : types }, isNullable };
  }
  return { schema: { anyOf: real }, isNullable };
}

function flattenItems(expander: SchemaExpander, node: JsonSchema, trail: readonly string[]): JsonSchema {
  const places = node['prefixItems'];
  const part = Array.isArray(places) && !isSchema(node['items']) ? { anyOf: places } : node['items'];
  if (!isSchema(part)) return {};
  const { schema } = flatten(expander, part, trail);
  return Object.keys(schema).length === 0 ? {} : { items: schema };
}

function flattenProperties(expander: SchemaExpander, node: JsonSchema, trail: readonly string[]): JsonSchema {
  if (!isSchema(node['properties'])) return {};
  const flat = membersOf(node['properties']).map(
    ([name, part]) => [name, flatten(expander, part, trail)] as const,
  );
  const mayMiss = new Set(flat.filter(([, { isNullable }]) => isNullable).map(([name]) => name));
  const known = new Set(flat.map(([name]) => name));
  const required = textsOf(node['required']).filter((name) => known.has(name) && !mayMiss.has(name));
  return {
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(flat.map(([name, { schema }]) => [name, schema])),
  };
}
