// The name of a tool as a model wrote it: exactly, or nearly so that only one tool can be meant.

const MAX_NAMED = 3;
/** Longer ones resemble nothing. */
const MAX_LENGTH = 100;

export type ResolvedName<T> =
  | { readonly tool: T; readonly isRepaired: boolean }
  /** The names that come closest, the closest first. */
  | { readonly tool: null; readonly closest: readonly string[] };

export function resolveName<T extends { readonly name: string }>(
  asked: string,
  offered: readonly T[],
): ResolvedName<T> {
  const exact = offered.find(({ name }) => name === asked);
  if (exact !== undefined) return { tool: exact, isRepaired: false };
  const wanted = plainName(asked);
  const alike = wanted === '' ? [] : offered.filter(({ name }) => plainName(name) === wanted);
  const [only, ...others] = alike;
  if (only !== undefined && others.length === 0) return { tool: only, isRepaired: true };
  const closest = offered
    .map(({ name }) => ({ name, distance: distanceOf(plainName(name), wanted) }))
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, MAX_NAMED)
    .map(({ name }) => name);
  return { tool: null, closest };
}

/** Without what small models get wrong: case, `-` and `_`, and the prefix of an MCP server. */
function plainName(name: string): string {
  return name
    .slice(0, MAX_LENGTH)
    .replace(/^mcp__.+?__/s, '')
    .toLowerCase()
    .replaceAll(/[-_]/g, '');
}

/** Letters that are to be put in, taken out or changed. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const changed = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
