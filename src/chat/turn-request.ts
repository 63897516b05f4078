// A chat request after validation, with its defaults filled in.
import type { AgentRunRequest } from '../contract/agent-run.ts';
import type { ApprovalPolicy, BusyPolicy, ChatMode, ChatRequest, EngineOptions } from '../contract/chat.ts';
import type { Think } from '../contract/engine.ts';
import { invalidField } from '../contract/errors.ts';
import type { AgentSettings, ClientToolResult, ToolSettings } from '../contract/tool.ts';
import { plainBase64 } from '../kit/image-bytes.ts';
import { completeAgentSettings, completeToolSettings } from '../sessions/settings.ts';
import type { StoredSession } from '../store/sessions.ts';
import type { QueuedMessage } from '../store/turns.ts';
import type { ClientToolDefinition } from '../tools/client-tools.ts';
import type { TurnDeps } from './turn-deps.ts';

export interface TurnRequest {
  /** Null: answer what is there, see `mode`. */
  readonly message: string | null;
  readonly mode: ChatMode;
  /** The message whose place the new one, or the new answer, takes. */
  readonly replaces: Replaced | null;
  readonly think: Think;
  readonly options: EngineOptions;
  readonly format: 'json' | Readonly<Record<string, unknown>> | null;
  readonly images: readonly string[];
  /** For this turn, instead of the session's; null: those. */
  readonly toolSettings: ToolSettings | null;
  /** Run by the client. */
  readonly clientTools: readonly ClientToolDefinition[];
  /** Of calls that were left to the client. */
  readonly toolResults: readonly ClientToolResult[];
  readonly agentSettings: AgentSettings | null;
  /** Null: as the turn before it is. */
  readonly onBusy: BusyPolicy | null;
  readonly onApproval: ApprovalPolicy;
}

interface Replaced {
  readonly messageId: string;
  /** The request says nothing of images: the new message has those of the old one. */
  readonly keepsImages: boolean;
}

/** Where a request comes in: whoever streams is there to be asked. */
export type ChatRoute = 'chat' | 'stream';

export const USUAL_APPROVAL: Readonly<Record<ChatRoute, ApprovalPolicy>> = { chat: 'fail', stream: 'wait' };

const NO_ARGUMENTS = { type: 'object', properties: {} };

/** @throws MochiError validation_error */
export function toTurnRequest(body: ChatRequest, route: ChatRoute): TurnRequest {
  // Whoever meant to bring results would have an answer made anew.
  if (body.tool_results?.length === 0 && body.message == null)
    throw invalidField('/tool_results', 'must not be empty where there is no message');
  return {
    message: body.message ?? null,
    mode: body.mode ?? 'regenerate',
    replaces:
      body.replaces == null ? null : { messageId: body.replaces, keepsImages: body.images === undefined },
    think: body.think ?? false,
    options: body.options ?? {},
    format: body.format ?? null,
    images: (body.images ?? []).map(plainBase64),
    toolSettings: body.tool_settings == null ? null : completeToolSettings(body.tool_settings),
    clientTools: (body.tools ?? []).map(({ name, description = '', parameters = NO_ARGUMENTS }) => ({
      name,
      description,
      inputSchema: parameters,
    })),
    toolResults: body.tool_results ?? [],
    agentSettings: body.agent_settings == null ? null : completeAgentSettings(body.agent_settings),
    onBusy: body.on_busy ?? null,
    onApproval: body.on_approval ?? USUAL_APPROVAL[route],
  };
}

/** What a client asks an agent itself. Its calls are asked about where nobody says otherwise. */
export function toRunRequest(
  body: AgentRunRequest,
  { route, think }: { readonly route: ChatRoute; readonly think: Think },
): TurnRequest {
  return {
    message: body.instruction,
    mode: 'regenerate',
    replaces: null,
    think,
    options: {},
    format: null,
    images: [],
    toolSettings: completeToolSettings(body.tool_settings),
    agentSettings: completeAgentSettings(null),
    clientTools: [],
    toolResults: [],
    onBusy: body.on_busy ?? null,
    onApproval: body.on_approval ?? USUAL_APPROVAL[route],
  };
}

export function toolSettingsOf(session: StoredSession, { toolSettings }: TurnRequest): ToolSettings {
  return toolSettings ?? session.tool_settings;
}

export function agentSettingsOf(session: StoredSession, { agentSettings }: TurnRequest): AgentSettings {
  return agentSettings ?? session.agent_settings;
}

/** The new message with the id that it will have; null: the request has none. */
export function toQueuedMessage(
  { newId, now }: Pick<TurnDeps, 'newId' | 'now'>,
  request: TurnRequest,
): QueuedMessage | null {
  if (request.message === null) return null;
  const { message: content, images, replaces } = request;
  return {
    messageId: newId(10),
    content,
    timestamp: now(),
    images,
    ...(replaces !== null && { replaces: replaces.messageId }),
  };
}
