// The tools of a session as a turn offers them: names and globs looked up, once, at its start.
import { fitsName, isNamePattern } from './name-pattern.ts';
import type { RegisteredTool } from './registered-tool.ts';

/** What a turn began with: it keeps these definitions to its end. */
export interface Offer {
  /** In the order of the session; what a glob stands for is sorted. */
  readonly tools: readonly RegisteredTool[];
  /** Entries of the session that stand for nothing. */
  readonly missing: readonly string[];
  /** One of these has to be called next; missing: the model may do as it likes. */
  readonly forced?: readonly RegisteredTool[];
}

export function expandNames(entries: readonly string[], tools: ReadonlyMap<string, RegisteredTool>): Offer {
  const found = new Map<string, RegisteredTool>();
  const missing = new Set<string>();
  for (const entry of entries) {
    const exact = tools.get(entry);
    const meant =
      exact !== undefined
        ? [exact]
        : isNamePattern(entry)
          ? [...tools.values()].filter(({ name }) => fitsName(entry, name))
          : [];
    if (meant.length === 0) missing.add(entry);
    for (const tool of meant) found.set(tool.name, tool);
  }
  return { tools: [...found.values()], missing: [...missing] };
}
