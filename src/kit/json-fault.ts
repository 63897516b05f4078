// What is wrong with a JSON value that is to be stored: found before anything is.

import type { Stretches } from './stretches.ts';

/** Values that are looked at before others have a turn. */
const STRETCH = 10_000;

export interface JsonLimits {
  readonly maxDepth: number;
  /** A key that no object may have. */
  readonly refusedKey?: string;
}

/**
 * Iterative, since depth is what it guards against. Lone surrogates could not be stored as they came.
 * @returns what completes "the body …"; null when nothing is wrong
 */
export function* jsonFault(root: unknown, { maxDepth, refusedKey }: JsonLimits): Stretches<string | null> {
  let level: unknown[] = [root];
  let seen = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `is nested over ${maxDepth} levels deep`;
    const next: unknown[] = [];
    for (const value of level) {
      seen += 1;
      if (seen % STRETCH === 0) yield;
      if (typeof value === 'string') {
        if (!value.isWellFormed()) return 'holds half of a surrogate pair, which is no text';
      } else if (typeof value === 'number') {
        if (!Number.isFinite(value)) return 'holds a number that is too large';
      } else if (Array.isArray(value)) {
        for (const item of value) next.push(item);
      } else if (typeof value === 'object' && value !== null) {
        for (const [key, member] of Object.entries(value)) {
          if (key === refusedKey) return `may not have a member named ${key}`;
          next.push(key, member);
        }
      }
    }
    level = next;
  }
  return null;
}
