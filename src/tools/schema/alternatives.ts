// Everything that a part of a schema lets a value be, each without references and choices: for reading values by it.
import type { JsonSchema } from '../tool.ts';
import { isSchema, membersOf, SchemaExpander, textsOf } from './expand-node.ts';
import { impliedTypes, typesOf } from './node-types.ts';

/** Choices within choices; the rest of a larger schema is left to the validation. */
const MAX_ALTERNATIVES = 64;
/** Parts that are read for one value; beyond, too, the validation alone decides. */
const MAX_PARTS = 20_000;

/** Reads values by one schema; keeps what it has looked up. */
export class SchemaReader {
  readonly #expander: SchemaExpander;
  readonly #known = new WeakMap<object, readonly JsonSchema[]>();

  constructor(root: JsonSchema) {
    this.#expander = new SchemaExpander(root, MAX_PARTS);
  }

  /** Empty: nothing is known of the value. */
  alternatives(part: unknown): readonly JsonSchema[] {
    if (!isSchema(part)) return [];
    const known = this.#known.get(part) ?? this.#collect(part, []);
    this.#known.set(part, known);
    return known;
  }

  #collect(part: unknown, trail: readonly string[]): readonly JsonSchema[] {
    const expanded = this.#expander.expand(part, trail);
    if (expanded === null) return [];
    const { anyOf, oneOf, ...rest } = expanded.node;
    const choices = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list : []));
    if (choices.length === 0) return [rest];
    return choices
      .flatMap((choice) => this.#collect({ allOf: [rest, choice] }, expanded.trail))
      .slice(0, MAX_ALTERNATIVES);
  }
}

/** The types that are wanted; null: any will do. */
export function wantedTypes(alternatives: readonly JsonSchema[]): ReadonlySet<string> | null {
  const wanted = new Set<string>();
  for (const node of alternatives) {
    const named = typesOf(node);
    const types = named.length > 0 ? named : impliedTypes(node);
    if (types.length === 0) return null;
    for (const type of types) wanted.add(type);
  }
  return wanted.size === 0 ? null : wanted;
}

/** What is known of a member of an object; undefined: nothing. */
export function memberPart(alternatives: readonly JsonSchema[], name: string): unknown {
  const parts = alternatives.flatMap(({ properties, additionalProperties: others }) => {
    if (isSchema(properties) && Object.hasOwn(properties, name)) return [Reflect.get(properties, name)];
    return isSchema(others) ? [others] : [];
  });
  return parts.length > 1 ? { anyOf: parts } : parts[0];
}

/** Those of which a constant member is not another one: `{"kind": "circle", …}`. */
export function fittingObjects(
  alternatives: readonly JsonSchema[],
  value: Readonly<Record<string, unknown>>,
): readonly JsonSchema[] {
  if (alternatives.length < 2) return alternatives;
  const fitting = alternatives.filter(({ properties }) =>
    membersOf(properties).every(([name, part]) => {
      if (!isSchema(part) || !Object.hasOwn(value, name)) return true;
      if ('const' in part) return part['const'] === value[name];
      return !Array.isArray(part['enum']) || part['enum'].includes(value[name]);
    }),
  );
  return fitting.length === 0 ? alternatives : fitting;
}

export function isRequired(alternatives: readonly JsonSchema[], name: string): boolean {
  return alternatives.some(({ required }) => textsOf(required).includes(name));
}

/** Whether a tool's arguments have a member of this name. */
export function knowsMember(schema: JsonSchema, name: string): boolean {
  return new SchemaReader(schema)
    .alternatives(schema)
    .some(
      ({ properties, patternProperties }) =>
        (isSchema(properties) && Object.hasOwn(properties, name)) || isSchema(patternProperties),
    );
}
