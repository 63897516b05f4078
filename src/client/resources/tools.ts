// Tools that models may call, and the MCP servers that some come from.
import { type Api, type CallOptions, segment } from '../api.ts';
import type {
  McpServer,
  McpServerList,
  RunToolInput,
  ToolInfo,
  ToolList,
  ToolRun,
  ToolsReloaded,
} from '../wire.ts';

export function tools({ json, get }: Api) {
  const at = (name: string) => `/tools/${segment(name)}`;
  return {
    list: (options?: CallOptions) => get<ToolList>('/tools', {}, options),
    get: (name: string, options?: CallOptions) => get<ToolInfo>(at(name), {}, options),
    /** Looks at the folders anew. */
    reload: (options?: CallOptions) =>
      json<ToolsReloaded>({ method: 'POST', path: '/tools/reload', repeated: 'safe', ...options }),
    /** By hand, without a model. */
    run: (name: string, input: RunToolInput, options?: CallOptions) =>
      json<ToolRun>({ method: 'POST', path: `${at(name)}/run`, body: input, ...options }),
    servers: (options?: CallOptions) => get<McpServerList>('/mcp/servers', {}, options),
    restartServer: (name: string, options?: CallOptions) =>
      json<McpServer>({ method: 'POST', path: `/mcp/servers/${segment(name)}/restart`, ...options }),
  };
}
