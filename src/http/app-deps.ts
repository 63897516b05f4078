// What routes may touch: built once in server.ts.

// Types only: how a route describes itself.
/// <reference types="@fastify/swagger" />
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Agents } from '../agents/agents.ts';
import type { Approvals } from '../approvals/approvals.ts';
import type { LiveTurns } from '../chat/live-turns.ts';
import type { ServerEvents } from '../events/server-events.ts';
import type { ModelPulls } from '../models/model-pulls.ts';
import type { SessionDeps } from '../sessions/session-deps.ts';
import type { Snapshot } from '../store/open-snapshot.ts';
import type { McpServers } from '../tools/mcp/mcp-servers.ts';
import type { Tools } from '../tools/tools.ts';
import type { StreamTokens } from './stream-token.ts';

/** How instances of the server know each other. */
export interface PeerDoor {
  /** What each of them shows. */
  readonly secret: () => Promise<string>;
  readonly protocol: number;
  readonly protocolHeader: string;
  /** How often one that says nothing shows that it is there. */
  readonly signMs: number;
}

export interface AppDeps extends SessionDeps {
  readonly turns: LiveTurns;
  readonly events: ServerEvents;
  readonly pulls: ModelPulls;
  readonly tools: Tools;
  readonly approvals: Approvals;
  readonly agents: Agents;
  readonly mcpServers: McpServers;
  /** Names this run of the server in the journal of tools. */
  readonly bootId: string;
  readonly version: string;
  /** @throws MochiError storage_lost when nothing can be stored any more, database_busy while the disk does not answer, not_accepting when nothing new is taken */
  readonly refuseTrouble: () => void | Promise<void>;
  /** What other servers on the database are told; null: there are none. */
  readonly peers: PeerDoor | null;
  readonly streamTokens: StreamTokens;
  /** The stored data as it is now, for answers that take their time. */
  readonly openSnapshot: () => Promise<Snapshot>;
}

/** The framework with handlers typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
