// The tools of a server as the registry takes them: named, chosen, and trusted only where the operator trusts.
import type { Tool } from '@modelcontextprotocol/client';
import { fitsGlob } from '../name-pattern.ts';
import type { DescribedTool } from '../tool.ts';
import type { McpServerConfig } from './mcp-config.ts';
import { mcpToolName } from './tool-name.ts';

export interface McpTool {
  readonly described: DescribedTool;
  /** As the server has it. */
  readonly tool: Tool;
}

export interface DescribedTools {
  /** By the name that the model sees. */
  readonly tools: ReadonlyMap<string, McpTool>;
  readonly problems: readonly string[];
}

export const NO_TOOLS: DescribedTools = { tools: new Map(), problems: [] };

export function describeTools(listed: readonly Tool[], config: McpServerConfig): DescribedTools {
  const tools = new Map<string, McpTool>();
  const problems: string[] = [];
  for (const tool of listed) {
    if (!isChosen(tool.name, config)) continue;
    const described = describeTool(tool, config);
    const { name } = described;
    if (tools.has(name)) problems.push(`two of its tools would be called ${name}; the first counts`);
    else tools.set(name, { described, tool });
  }
  for (const glob of config.enabledTools ?? []) {
    if (!listed.some(({ name }) => fitsGlob(glob, name))) {
      problems.push(`"enabledTools" names ${JSON.stringify(glob)}, which is none of its tools`);
    }
  }
  return { tools, problems };
}

function isChosen(name: string, { enabledTools, disabledTools }: McpServerConfig): boolean {
  const fits = (glob: string) => fitsGlob(glob, name);
  return (enabledTools === null || enabledTools.some(fits)) && !disabledTools.some(fits);
}

function describeTool(tool: Tool, { name, isTrusted, timeoutMs }: McpServerConfig): DescribedTool {
  return {
    name: mcpToolName(name, tool.name),
    description: tool.description ?? tool.title ?? tool.annotations?.title ?? '',
    inputSchema: tool.inputSchema,
    readOnly: isTrusted && tool.annotations?.readOnlyHint === true,
    repeatable: false,
    needsApproval: false,
    timeoutMs,
  };
}
