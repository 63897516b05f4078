// MCP servers: how they are, and a fresh start for one.
import { Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { McpServer, McpServerList } from '../../contract/mcp.ts';
import { ref } from '../../contract/schema.ts';
import { cutText } from '../../kit/whole-characters.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';

const tags = ['tools'];

export function mcpRoutes(app: App, { mcpServers }: Pick<AppDeps, 'mcpServers'>): void {
  app.get(
    '/api/v1/mcp/servers',
    {
      schema: {
        tags,
        operationId: 'listMcpServers',
        summary: 'The MCP servers and how they are',
        description: 'Those of `mcp.json`. Their tools are among all others.',
        response: responses(200, jsonAnswer('In the order of the file.', ref(McpServerList)), []),
      },
    },
    async () => ({ servers: [...mcpServers.list()] }),
  );
  app.post(
    '/api/v1/mcp/servers/:name/restart',
    {
      schema: {
        tags,
        operationId: 'restartMcpServer',
        summary: 'Start an MCP server anew',
        description:
          'However often it has failed. The answer comes when it is ready or has failed again; calls under way are lost. A server that is switched off stays so.',
        params: Type.Object({
          name: Type.String({ description: 'Name of the server.', examples: ['github'] }),
        }),
        response: responses(200, jsonAnswer('How it is now.', ref(McpServer)), [
          'mcp_server_not_found',
          ...BODY_ERRORS,
        ]),
      },
    },
    async ({ params }) => {
      const server = await mcpServers.restart(params.name);
      if (server !== null) return server;
      const shown = cutText(params.name, 64);
      throw new MochiError('mcp_server_not_found', `There is no MCP server called ${shown}.`, {
        server_name: shown,
      });
    },
  );
}
