// The agents of the server: folders, read when somebody first asks for them, and again when they are reloaded. Has a
// lifetime: that of the tools.
import { Discovery } from '../tools/discovery.ts';
import type { OpenTools } from '../tools/open-tools.ts';
import type { ToolProblem, ToolSource } from '../tools/tool.ts';
import { type Agent, toAgent, type ValidAgent } from './agent.ts';
import { type AgentFolder, readAgentFolders } from './folder.ts';
import { createSkillSource } from './skill-source.ts';

export interface Agents {
  /** Waits for what is being looked for, at most ten seconds; the first one begins to look. Never throws. */
  ready(): Promise<void>;
  /** Sorted by name. */
  list(): readonly Agent[];
  find(name: string): Agent | null;
  /** Those of these names that can work, in this order, each once. */
  enabled(names: readonly string[]): readonly ValidAgent[];
  /** Reads all of them anew, beside what there is, then swaps. @returns what is not as it should be */
  reload(): Promise<readonly ToolProblem[]>;
}

export interface AgentsOptions {
  readonly tools: OpenTools;
  /** As the configuration has them: absolute. */
  readonly agentsDir: string;
  /** Characters of a result that a model reads. */
  readonly toolResultChars: number;
}

/** What is said behind a page of a file, so that both fit into one result. */
const PAGE_NOTICE = 100;

export function createAgents({ tools, agentsDir, toolResultChars }: AgentsOptions): Agents {
  /** By the source that each has, whatever tools it has. */
  const folders = new WeakMap<ToolSource, AgentFolder>();
  const discovery = new Discovery(async () => {
    const found = await readAgentFolders(agentsDir, tools.groups);
    return found.flatMap((agent) => {
      const source = createSkillSource(agent, toolResultChars - PAGE_NOTICE);
      folders.set(source, agent);
      return agent.group === null ? [source] : [source, agent.group];
    });
  });
  tools.alsoRun(discovery);

  function list(): readonly Agent[] {
    const { registry } = discovery;
    return registry.sources
      .flatMap(({ source }) => folders.get(source) ?? [])
      .map((agent) => toAgent(agent, registry, tools))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  const find = (name: string) => list().find((agent) => agent.name === name) ?? null;
  return {
    async ready() {
      await Promise.all([discovery.ready(), tools.ready()]);
    },
    list,
    find,
    enabled(names) {
      const all = new Map(list().map((agent) => [agent.name, agent]));
      return [...new Set(names)].flatMap((name) => {
        const agent = all.get(name);
        return agent?.valid === true ? [agent] : [];
      });
    },
    async reload() {
      await tools.ready();
      await discovery.reload();
      const { problems } = discovery.registry;
      const general = problems.filter(isOfNoAgent).map(({ message }) => ({ source: 'agents', message }));
      return [...general, ...list().flatMap(problemsOf)];
    },
  };
}

/** That the folder itself cannot be read. */
function isOfNoAgent({ source }: ToolProblem): boolean {
  return !source.includes(':');
}

function problemsOf(agent: Agent): ToolProblem[] {
  const messages = agent.valid ? agent.warnings : [agent.problem, ...agent.warnings];
  return [...new Set(messages)].map((message) => ({ source: `agent:${agent.name}`, message }));
}
