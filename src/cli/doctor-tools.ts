// What the doctor says of tools: rules, Python, groups that cannot be used, and what sessions name in vain.
import { existsSync } from 'node:fs';
import { AGENT_TOOL } from '../agents/agent-tool.ts';
import { type Config, processEnvironment } from '../config.ts';
import { MANY_TOOLS } from '../contract/tool.ts';
import { ownCommand } from '../kit/own-command.ts';
import { countPendingApprovals } from '../store/count-pending.ts';
import { listNamedTools } from '../store/named-in-sessions.ts';
import { BUILTIN_SETTING } from '../tools/builtin/shipped-tools.ts';
import { findPython } from '../tools/groups/find-python.ts';
import { MCP_FILE } from '../tools/mcp/mcp-config.ts';
import { type OpenTools, openTools } from '../tools/open-tools.ts';
import { ToolConfigError } from '../tools/policy/tool-policy.ts';
import type { Tools } from '../tools/tools.ts';
import { VERSION } from '../version.ts';
import { examineAgents } from './doctor-agents.ts';
import { type Finding, namesText } from './finding.ts';

export async function examineTools(config: Config): Promise<Finding[]> {
  let tools: OpenTools;
  try {
    tools = await openTools({ ...config, version: VERSION }, processEnvironment());
  } catch (error) {
    if (!(error instanceof ToolConfigError)) throw error;
    const [title, path] = placeOf(error.file, config);
    return error.problems.map((problem) => ({
      state: 'bad',
      text: `${title}: ${problem}`,
      next: `Mend ${path}: the server does not start with it.`,
    }));
  }
  try {
    await tools.ready();
    // Its tools may be what a rule is about.
    const agents = await examineAgents(config, tools);
    return [
      ...describePolicy(config, tools),
      describePython(config),
      ...describeTools(config, tools),
      ...(await examineSessions(config, tools)),
      ...agents,
      ...(await examineApprovals(config)),
    ];
  } finally {
    await tools.close();
  }
}

/** What it is about, and where it is mended. */
function placeOf(file: string, { mcpConfig, toolPolicy }: Config): readonly [string, string] {
  if (file === MCP_FILE) return ['MCP servers', mcpConfig];
  return file === BUILTIN_SETTING ? ['Tools', file] : ['Tool policy', toolPolicy];
}

function describePolicy({ toolPolicy }: Config, tools: Tools): Finding[] {
  if (!existsSync(toolPolicy)) return [];
  const found: Finding = { state: 'ok', text: `Tool policy: ${toolPolicy}` };
  const idle = tools.idleRules([AGENT_TOOL]);
  if (idle.length === 0) return [found];
  const text = `Tool policy: rules about no tool that there is, mistyped perhaps: ${namesText(idle)}`;
  return [found, { state: 'note', text }];
}

function describePython({ python }: Config): Finding {
  const version = findPython(python);
  if (version !== null) return { state: 'ok', text: `Python: ${version} (${python})` };
  return {
    state: 'note',
    text: `Python: ${python} was not found; tools written in Python cannot run without (MOCHI_PYTHON)`,
  };
}

function describeTools({ toolsDir }: Config, tools: Tools): Finding[] {
  const { tools: all, problems } = tools.registry();
  const sources = new Set([...all.values()].map(({ source }) => source));
  const found =
    all.size === 0 ? 'none' : `${all.size} in ${sources.size} ${sources.size === 1 ? 'group' : 'groups'}`;
  return [
    { state: all.size === 0 ? 'note' : 'ok', text: `Tools: ${found} (${toolsDir})` },
    ...problems.map(
      ({ source, message }) => ({ state: 'bad', text: `Tools: ${source}: ${message}` }) as const,
    ),
  ];
}

async function examineApprovals(config: Config): Promise<Finding[]> {
  const count = await countPendingApprovals(config);
  if (count === 0) return [];
  const what = count === 1 ? '1 waits for a decision' : `${count} wait for a decision`;
  return [
    { state: 'note', text: `Approvals: ${what}`, next: `See what is asked: ${ownCommand('approvals')}` },
  ];
}

async function examineSessions(config: Config, tools: Tools): Promise<Finding[]> {
  const groups = await listNamedTools(config);
  const named = groups.map((group) => ({ ...group, offer: tools.offer(group.names) }));
  const missing = [...new Set(named.flatMap(({ offer }) => offer.missing))].toSorted();
  const many = named.filter(({ offer }) => offer.tools.length > MANY_TOOLS);
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const text = `Tools: sessions name some that do not exist, or are forbidden: ${namesText(missing)}`;
    findings.push({ state: 'note', text });
  }
  if (many.length > 0) {
    const sessions = many.reduce((sum, group) => sum + group.sessions, 0);
    const text = `Tools: ${sessions} ${sessions === 1 ? 'session offers' : 'sessions offer'} over ${MANY_TOOLS} of them: small models use none of so many well`;
    findings.push({ state: 'note', text });
  }
  return findings;
}
