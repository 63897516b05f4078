// JSON values as they can be stored, sent and read again, whoever wrote them.

/**
 * Halves of surrogate pairs become U+FFFD, which is what a file would make of them; numbers that are too large are
 * null, as in JSON text.
 * @returns undefined when the value is nested over `maxDepth` levels deep
 */
export function storableJson(value: unknown, maxDepth: number): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return value;
  if (maxDepth === 0) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => storableJson(item, maxDepth - 1));
    return items.includes(undefined) ? undefined : items;
  }
  const members: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const storable = storableJson(member, maxDepth - 1);
    if (storable === undefined) return undefined;
    members.push([key.toWellFormed(), storable]);
  }
  return Object.fromEntries(members);
}
