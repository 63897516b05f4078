// MCP servers as they are shown: never with a value that the operator wrote.
import { type Static, Type } from 'typebox';
import { nullable, oneOf } from './schema.ts';

export const McpServer = Type.Object(
  {
    name: Type.String({ examples: ['github'] }),
    transport: oneOf(['stdio', 'http', 'sse'], { examples: ['stdio'] }),
    target: Type.String({
      description: 'Name of the program, or origin of the address; nothing more of either.',
      examples: ['npx'],
    }),
    state: oneOf(['starting', 'ready', 'failed', 'disabled', 'needs_auth'], {
      description: 'ready: its tools are listed.',
      examples: ['ready'],
    }),
    era: nullable(
      Type.String({ description: 'Version of the protocol that was agreed on.', examples: ['2025-11-25'] }),
    ),
    version: nullable(
      Type.String({ description: 'What it says that it is.', examples: ['github-mcp-server 1.4.0'] }),
    ),
    tools: Type.Array(Type.String(), {
      description: 'Names of its tools, as models see them.',
      examples: [['mcp__github__search_issues']],
    }),
    error: nullable(Type.String({ description: 'Why it is not ready, or what went wrong last.' })),
    stderr_tail: Type.String({ description: 'The end of what it wrote for people, at most 8 kB.' }),
    restarts: Type.Integer({ minimum: 0, description: 'How often it was started again.', examples: [0] }),
    instructions: nullable(
      Type.String({ description: 'What it says about its use. It is never part of a prompt.' }),
    ),
  },
  { $id: 'McpServer' },
);
export type McpServer = Static<typeof McpServer>;

export const McpServerList = Type.Object(
  { servers: Type.Array(Type.Unsafe<McpServer>({ $ref: 'McpServer#' })) },
  { $id: 'McpServerList' },
);
export type McpServerList = Static<typeof McpServerList>;
