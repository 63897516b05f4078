// The tools of the server: what there is, what a session may be offered, and how a call runs. Has a lifetime.
import type { EngineToolCall } from '../contract/engine.ts';
import { checkArguments } from './arguments/check-arguments.ts';
import { type Discover, Discovery } from './discovery.ts';
import { fitsName } from './name-pattern.ts';
import { expandNames, type Offer } from './offer.ts';
import { denyRuleOf, denyRuleOfTool } from './policy/decide-call.ts';
import { ToolConfigError, type ToolPolicy } from './policy/tool-policy.ts';
import {
  type CallStanding,
  deniedText,
  type PreparedCall,
  prepareCall,
  type ReadyCall,
} from './prepare-call.ts';
import type { RegisteredTool } from './registered-tool.ts';
import type { Registry } from './registry.ts';
import type { ToolOutcome, ToolProblem, ToolRunContext } from './tool.ts';

export interface Tools {
  /** Begins to look for tools, in the background. */
  start(): void;
  /** Waits for what is being looked for, at most ten seconds. Never throws. */
  ready(): Promise<void>;
  registry(): Registry;
  /** Waits for the tools of agents, too. Never throws. */
  allReady(): Promise<void>;
  /** As it is now, of agents, too; null: it is not there, or not yet. @param policyName by which rules know it */
  find(policyName: string): RegisteredTool | null;
  /** The operator's rule that forbids a call, or a tool whatever its arguments are; null: none. */
  denyRuleOf(name: string, args?: Readonly<Record<string, unknown>>): string | null;
  /** Rules of the operator that are about no tool there is, nor about one of the other names: mistyped, perhaps. */
  idleRules(others: readonly string[]): readonly string[];
  /** At the start of a turn, after `ready`. @param entries names, globs and `mcp__server`, as sessions hold them */
  offer(entries: readonly string[]): Offer;
  /** Asks nobody and changes nothing. Never throws. */
  prepare(call: Pick<EngineToolCall, 'name' | 'arguments'>, standing: CallStanding): PreparedCall;
  /**
   * Runs a call that may run. The policy is asked once more, and whether there still is such a tool. Never throws.
   * A tool that changed since is run by its new definition, where the arguments fit that as they are.
   */
  run(call: Pick<ReadyCall, 'tool' | 'arguments'>, context: ToolRunContext): Promise<ToolOutcome>;
  /** Tools of which calls run, too, though no session is offered them by name: those of agents. Closed with the rest. */
  alsoRun(others: Discovery): void;
  /** Builds beside what there is, then swaps. */
  reload(): Promise<ToolsReload>;
  /** Ends the processes of all sources. */
  close(): Promise<void>;
}

interface ToolsReload {
  /** False: a file of the operator cannot be read, and everything is as it was. */
  readonly success: boolean;
  readonly toolsCount: number;
  readonly problems: readonly ToolProblem[];
}

export interface ToolsDeps {
  /** All sources there are, made anew; the same object may come again. */
  readonly discover: Discover;
  /** @throws ToolConfigError */
  readonly readPolicy: () => Promise<ToolPolicy>;
}

/** @throws ToolConfigError when the operator's files cannot be used */
export async function createTools({ discover, readPolicy }: ToolsDeps): Promise<Tools> {
  let policy = await readPolicy();
  const discovery = new Discovery(discover);
  const registry = () => discovery.registry;
  const all = [discovery];
  const homeOf = (policyName: string) => all.find((one) => one.registry.tools.has(policyName)) ?? discovery;
  return {
    start: () => discovery.start(),
    ready: () => discovery.ready(),
    registry,
    async allReady() {
      await Promise.all(all.map((one) => one.ready()));
    },
    find: (policyName) => homeOf(policyName).registry.tools.get(policyName) ?? null,
    denyRuleOf: (name, args) =>
      args === undefined ? denyRuleOfTool(policy, name) : denyRuleOf(policy, { name, arguments: args }),
    idleRules(others) {
      const names = [...others, ...all.flatMap((one) => [...one.registry.tools.keys()])];
      return [...policy.deny, ...policy.ask, ...policy.allow]
        .filter((rule) => !names.some((name) => fitsName(rule.name, name)))
        .map(({ text }) => text);
    },
    offer(entries) {
      const { tools } = registry();
      const allowed = [...tools].filter(([name]) => denyRuleOfTool(policy, name) === null);
      return expandNames(entries, new Map(allowed));
    },
    prepare: (call, standing) => prepareCall(call, standing, policy),
    async run(call, context) {
      const { name, policyName } = call.tool;
      const home = homeOf(policyName);
      const current = home.registry.tools.get(policyName);
      const refusal = refusalOf(call, current, policy);
      if (current === undefined || refusal !== null) return failed(refusal ?? goneText(name));
      return home.use(current.source, () => runSafely(current, call.arguments, context));
    },
    alsoRun(others) {
      all.push(others);
    },
    async reload() {
      try {
        policy = await readPolicy();
      } catch (error) {
        if (!(error instanceof ToolConfigError)) throw error;
        const problems = error.problems.map((message) => ({ source: error.file, message }));
        return { success: false, toolsCount: registry().tools.size, problems };
      }
      await discovery.reload();
      return { success: true, toolsCount: registry().tools.size, problems: registry().problems };
    },
    async close() {
      await Promise.all(all.map((one) => one.close()));
    },
  };
}

/** Looked at right before a run: rules and tools may be others than when the call was prepared. */
function refusalOf(
  { tool, arguments: args }: Pick<ReadyCall, 'tool' | 'arguments'>,
  current: RegisteredTool | undefined,
  policy: ToolPolicy,
): string | null {
  if (current === undefined) return goneText(tool.name);
  if (denyRuleOf(policy, { name: tool.policyName, arguments: args }) !== null) return deniedText(tool.name);
  if (current.fingerprint === tool.fingerprint) return null;
  const checked = checkArguments(args, current);
  if (!checked.ok) return checked.text;
  return checked.repairs.length === 0 ? null : `Tool '${tool.name}' has changed: call it again.`;
}

async function runSafely(
  { name, source }: RegisteredTool,
  args: Readonly<Record<string, unknown>>,
  context: ToolRunContext,
): Promise<ToolOutcome> {
  try {
    return await source.run(name, args, context);
  } catch (error) {
    // A source never throws: whether the tool began, nobody knows.
    const reason = error instanceof Error ? error.message : String(error);
    return { ...failed(`Tool '${name}' was lost (${reason}); it may have taken effect`), state: 'unknown' };
  }
}

function goneText(name: string): string {
  return `Tool '${name}' is no longer there.`;
}

function failed(text: string): ToolOutcome {
  return { state: 'failed', text, truncated: false, images: [], log: null };
}
