// The tools of all sources under one roof: each name once, the first by sorted group wins.
import { type RegisteredSource, sourceText } from './register-source.ts';
import type { RegisteredTool } from './registered-tool.ts';
import type { ToolProblem } from './tool.ts';

export interface Registry {
  /** By `policyName`, in the order of these. */
  readonly tools: ReadonlyMap<string, RegisteredTool>;
  /** Those that have described themselves, in the order in which their tools count. */
  readonly sources: readonly RegisteredSource[];
  readonly problems: readonly ToolProblem[];
}

export const EMPTY_REGISTRY: Registry = { tools: new Map(), sources: [], problems: [] };

/** The same whatever the order in which the sources became ready. */
export function buildRegistry(sources: readonly RegisteredSource[]): Registry {
  const inOrder = sources.toSorted((one, other) => compare(placeOf(one), placeOf(other)));
  const winners = new Map<string, RegisteredTool>();
  const problems: ToolProblem[] = [];
  for (const { source, tools, problems: own } of inOrder) {
    problems.push(...own);
    for (const tool of tools) {
      const winner = winners.get(tool.policyName);
      if (winner === undefined) winners.set(tool.policyName, tool);
      else problems.push({ source: sourceText(source.name), message: takenText(tool, winner) });
    }
  }
  const byName = [...winners].toSorted(([one], [other]) => compare(one, other));
  return { tools: new Map(byName), sources: inOrder, problems };
}

function takenText({ name }: RegisteredTool, { source }: RegisteredTool): string {
  return `Tool "${name}" is not used. ${sourceText(source.name)} has one of that name already.`;
}

function placeOf({ source }: RegisteredSource): string {
  // U+0000 is in no name: group first, then kind.
  return `${source.name.group}\0${source.name.kind}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
