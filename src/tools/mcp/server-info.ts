// A server as it is shown: nothing in it that nobody should read.
import type { Client } from '@modelcontextprotocol/client';
import type { McpServer as McpServerInfo } from '../../contract/mcp.ts';
import type { LaunchPlan } from './launch.ts';
import type { McpServerConfig } from './mcp-config.ts';

export interface McpServerStanding extends Pick<McpServerInfo, 'state' | 'error' | 'restarts' | 'tools'> {
  /** Undefined: it is not connected. */
  readonly client: Client | undefined;
  readonly stderrTail: string;
}

export function showServer(
  { name, transport }: McpServerConfig,
  { target, redact }: LaunchPlan,
  { client, stderrTail, ...standing }: McpServerStanding,
): McpServerInfo {
  const version = client?.getServerVersion();
  const said = client?.getInstructions();
  return {
    name,
    transport,
    target,
    state: standing.state,
    era: client?.getNegotiatedProtocolVersion() ?? null,
    version: version === undefined ? null : redact(`${version.name} ${version.version}`),
    tools: standing.tools,
    error: standing.error,
    stderr_tail: redact(stderrTail),
    restarts: standing.restarts,
    instructions: said === undefined ? null : redact(said),
  };
}
