// A part of a JSON Schema with what it refers to put in its place, and with its `allOf` merged.
import type { JsonSchema } from '../tool.ts';

/** References within references; a deeper schema is no longer one that a small model reads. */
const MAX_DEPTH = 8;

export interface ExpandedNode {
  /** Without `$ref` and `allOf`. */
  readonly node: JsonSchema;
  /** The references on the way to it. */
  readonly trail: readonly string[];
}

/** Reads one schema. Has a budget: references that fan out make a small schema endless. */
export class SchemaExpander {
  readonly #root: JsonSchema;
  #partsLeft: number;

  constructor(root: JsonSchema, maxParts: number) {
    this.#root = root;
    this.#partsLeft = maxParts;
  }

  /**
   * @param trail the references on the way to this part
   * @returns null where it refers to itself, or goes too far
   */
  expand(part: unknown, trail: readonly string[]): ExpandedNode | null {
    this.#partsLeft -= 1;
    if (this.#partsLeft < 0) return null;
    if (!isSchema(part)) return { node: {}, trail };
    const { $ref: reference, allOf, ...own } = part;
    let node: JsonSchema = {};
    let onTheWay = trail;
    if (typeof reference === 'string') {
      if (trail.includes(reference) || trail.length >= MAX_DEPTH) return null;
      const target = this.expand(lookUp(this.#root, reference), [...trail, reference]);
      if (target === null) return null;
      node = target.node;
      onTheWay = target.trail;
    }
    for (const member of Array.isArray(allOf) ? allOf : []) {
      const expanded = this.expand(member, onTheWay);
      if (expanded !== null) node = merged(node, expanded.node);
    }
    return { node: merged(node, own), trail: onTheWay };
  }
}

export function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}

/** The members of an object that may be anything. */
export function membersOf(value: unknown): [string, unknown][] {
  return isSchema(value) ? Object.entries(value) : [];
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** What fits both; where both say something else of the same thing, the second is right. */
function merged(first: JsonSchema, second: JsonSchema): JsonSchema {
  const both: Record<string, unknown> = { ...first, ...second };
  if (isSchema(first['properties']) && isSchema(second['properties'])) {
    const known = new Map(membersOf(first['properties']));
    for (const [name, part] of membersOf(second['properties'])) {
      known.set(name, known.has(name) ? { allOf: [known.get(name), part] } : part);
    }
    both['properties'] = Object.fromEntries(known);
  }
  const required = new Set([...textsOf(first['required']), ...textsOf(second['required'])]);
  if (required.size > 0) both['required'] = [...required];
  if (Array.isArray(first['enum']) && Array.isArray(second['enum'])) {
    const others = new Set(second['enum'].map((value) => JSON.stringify(value)));
    both['enum'] = first['enum'].filter((value) => others.has(JSON.stringify(value)));
  }
  return both;
}

/** @returns undefined where it points at nothing in this schema */
function lookUp(root: JsonSchema, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let place: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    const key = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return undefined;
    place = Reflect.get(place, key);
  }
  return place;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
