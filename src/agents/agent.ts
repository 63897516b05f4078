// An agent as the rest of the house knows it: what its folder says, and the tools that it has at this moment. Who works
// with one keeps it to the end, whatever becomes of the folder.
import type { Offer } from '../tools/offer.ts';
import type { Registry } from '../tools/registry.ts';
import type { Tools } from '../tools/tools.ts';
import { type AgentFolder, groupOf } from './folder.ts';
import type { Skill } from './skill.ts';

interface AgentBase {
  /** Of its folder. */
  readonly name: string;
  /** What is odd about it and harms nothing. */
  readonly warnings: readonly string[];
  /** Its own tools, then those that it is allowed, then the one that reads its files. */
  readonly offer: Offer;
}

export interface ValidAgent extends AgentBase {
  readonly valid: true;
  readonly skill: Skill;
}

/** Shown with its reason, never offered. */
interface InvalidAgent extends AgentBase {
  readonly valid: false;
  readonly problem: string;
  /** Null: its SKILL.md cannot be used. */
  readonly skill: Skill | null;
}

export type Agent = ValidAgent | InvalidAgent;

/** @param registry of the tools of all agents */
export function toAgent(
  { name, skill: read, warnings }: AgentFolder,
  registry: Registry,
  tools: Pick<Tools, 'denyRuleOf' | 'offer'>,
): Agent {
  if (!read.ok) {
    return { name, valid: false, problem: read.problem, skill: null, warnings, offer: NOTHING };
  }
  const { skill } = read;
  const permitted = [...registry.tools.values()].filter(
    ({ source, policyName }) => source.agent === name && tools.denyRuleOf(policyName) === null,
  );
  const own = permitted.filter(({ asksNobody }) => asksNobody !== true);
  const allowed = tools.offer(skill.allowedTools);
  const names = new Set(own.map((tool) => tool.name));
  const others = allowed.tools.filter((tool) => !names.has(tool.name));
  const readers = permitted.filter(({ asksNobody }) => asksNobody === true);
  const offer = { tools: [...own, ...others, ...readers], missing: allowed.missing };
  const problems = registry.problems
    .filter(({ source }) => source.endsWith(`:${groupOf(name)}`))
    .map(({ message }) => message);
  const base = {
    name,
    skill,
    offer,
    warnings: [
      ...read.warnings,
      ...warnings,
      ...allowed.missing.map((entry) => `allowed-tools: ${entry.slice(0, 200)} is no tool that there is.`),
      ...problems.map((message) => `Tools: ${message}`),
    ],
  };
  if (own.length + others.length > 0) return { ...base, valid: true };
  const why = problems.length === 0 ? 'It has no tools: neither its own nor allowed ones.' : '';
  return { ...base, valid: false, problem: why || `It has no tools. ${problems.join(' ')}` };
}

const NOTHING: Offer = { tools: [], missing: [] };

/** Its tools as people count them. */
export function toolNamesOf({ offer }: Agent): string[] {
  return offer.tools.filter(({ asksNobody }) => asksNobody !== true).map(({ name }) => name);
}
