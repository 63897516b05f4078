// Tools that models may call, and the MCP servers that some come from.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import type {
  ExecutionPage,
  ExecutionWithLog,
  McpServer,
  McpServerList,
  RunToolInput,
  ToolInfo,
  ToolList,
  ToolRun,
  ToolStats,
  ToolsReloaded,
} from '../wire.ts';

export interface ListExecutions {
  readonly tool?: string;
  readonly session_id?: string;
  readonly state?: ExecutionWithLog['state'];
  readonly limit?: number;
  readonly cursor?: string;
}

export function tools({ json, get, send }: Api) {
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
    /** Every run, the newest first. */
    executions: (query: ListExecutions = {}, options?: CallOptions) =>
      listOf(
        (cursor) =>
          get<ExecutionPage>('/tool-executions', { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.executions,
      ),
    execution: (id: string, options?: CallOptions) =>
      get<ExecutionWithLog>(`/tool-executions/${segment(id)}`, {}, options),
    /** All that a run gave, of which the model may have read a part. */
    output: (id: string, { signal }: CallOptions = {}): Promise<string> =>
      send(
        {
          method: 'GET',
          path: `/tool-executions/${segment(id)}/output`,
          accept: 'any',
          repeated: 'safe',
          signal,
        },
        (response) => response.text(),
      ),
    stats: (options?: CallOptions) => get<ToolStats>('/tool-stats', {}, options),
    servers: (options?: CallOptions) => get<McpServerList>('/mcp/servers', {}, options),
    restartServer: (name: string, options?: CallOptions) =>
      json<McpServer>({ method: 'POST', path: `/mcp/servers/${segment(name)}/restart`, ...options }),
  };
}
