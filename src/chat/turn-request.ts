// A chat request after validation, with its defaults filled in.
import type { AgentRunRequest } from '../contract/agent-run.ts';
import type { ApprovalPolicy, BusyPolicy, ChatMode, ChatRequest } from '../contract/chat.ts';
import type { EngineMessage, Think } from '../contract/engine.ts';
import { invalidField } from '../contract/errors.ts';
import type { AgentSettings, ClientToolResult, ToolSettings } from '../contract/tool.ts';
import { plainBase64 } from '../kit/image-bytes.ts';
import type { HistoryChain } from '../sessions/match-history.ts';
import { completeAgentSettings, completeToolSettings } from '../sessions/settings.ts';
import type { StoredSession } from '../store/sessions.ts';
import type { QueuedMessage } from '../store/turns.ts';
import type { ClientToolDefinition } from '../tools/client-tools.ts';
import { type AnswerWishes, USUAL_WISHES } from './answer-wishes.ts';
import type { TurnDeps } from './turn-deps.ts';

export interface TurnRequest extends AnswerWishes {
  /** Null: answer what is there, see `mode`. */
  readonly message: string | null;
  readonly mode: ChatMode;
  /** The message whose place the new one, or the new answer, takes. */
  readonly replaces: Replaced | null;
  readonly images: readonly string[];
  /** For this turn, instead of the session's; null: those. */
  readonly toolSettings: ToolSettings | null;
  /** In the place of `message`, `replaces` and `toolResults`; missing: these say it all. */
  readonly placed?: PlacedHistory;
  /** For this turn, in the place of the session's system prompt; missing: that. */
  readonly system?: string;
  /** Of calls that were left to the client. */
  readonly toolResults: readonly ClientToolResult[];
  readonly agentSettings: AgentSettings | null;
  /** Null: as the turn before it is. */
  readonly onBusy: BusyPolicy | null;
  readonly onApproval: ApprovalPolicy;
}

/** A message that a client brings along. */
export interface PlacedMessage extends EngineMessage {
  /** What its speaker said of it, where system texts were told with it; null: nothing. Missing: all of it. */
  readonly own?: string | null;
  /** The name that the client has given it. */
  readonly clientId?: string;
}

/** What a client says where it sends more than a new message, or says where that goes. */
export interface PlacedHistory {
  /**
   * What it follows: the head, what a turn or a message has left; or nothing, since it is all that was said, of which
   * the tree may know a part.
   */
  readonly after: 'head' | 'nothing' | { readonly turnId: string } | { readonly messageId: string };
  readonly messages: readonly PlacedMessage[];
  /** Of all that was said; null: the client does not say it all. */
  readonly chain: HistoryChain | null;
  /** What becomes the system prompt of the session; null: as it is. */
  readonly system: string | null;
  /** Whether a result of no open call is refused; else the user tells it. */
  readonly refusesStray: boolean;
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
/** Held as long as the turn: one for all. */
const NONE: readonly never[] = [];

/** @throws MochiError validation_error */
export function toTurnRequest(body: ChatRequest, route: ChatRoute): TurnRequest {
  // Whoever meant to bring results would have an answer made anew.
  if (body.tool_results?.length === 0 && body.message == null)
    throw invalidField('/tool_results', 'must not be empty where there is no message');
  return {
    ...USUAL_WISHES,
    message: body.message ?? null,
    mode: body.mode ?? 'regenerate',
    replaces:
      body.replaces == null ? null : { messageId: body.replaces, keepsImages: body.images === undefined },
    think: body.think ?? false,
    options: body.options ?? USUAL_WISHES.options,
    format: body.format ?? null,
    images: body.images?.map(plainBase64) ?? NONE,
    toolSettings: body.tool_settings == null ? null : completeToolSettings(body.tool_settings),
    clientTools: body.tools?.map(toDefinition) ?? NONE,
    toolResults: body.tool_results ?? NONE,
    agentSettings: body.agent_settings == null ? null : completeAgentSettings(body.agent_settings),
    onBusy: body.on_busy ?? null,
    onApproval: body.on_approval ?? USUAL_APPROVAL[route],
  };
}

function toDefinition({
  name,
  description = '',
  parameters = NO_ARGUMENTS,
}: NonNullable<ChatRequest['tools']>[number]): ClientToolDefinition {
  return { name, description, inputSchema: parameters };
}

/** What a client asks an agent itself. Its calls are asked about where nobody says otherwise. */
export function toRunRequest(
  body: AgentRunRequest,
  { route, think }: { readonly route: ChatRoute; readonly think: Think },
): TurnRequest {
  return {
    ...USUAL_WISHES,
    message: body.instruction,
    mode: 'regenerate',
    replaces: null,
    think,
    images: [],
    toolSettings: completeToolSettings(body.tool_settings),
    agentSettings: completeAgentSettings(null),
    toolResults: [],
    onBusy: body.on_busy ?? null,
    onApproval: body.on_approval ?? USUAL_APPROVAL[route],
  };
}

export function toolSettingsOf(session: StoredSession, { toolSettings }: TurnRequest): ToolSettings {
  return toolSettings ?? session.tool_settings;
}

/** Whether what is answered is what came of calls. */
export function bringsResults({ toolResults, placed }: TurnRequest): boolean {
  return toolResults.length > 0 || placed?.messages.at(-1)?.role === 'tool';
}

export function agentSettingsOf(session: StoredSession, { agentSettings }: TurnRequest): AgentSettings {
  return agentSettings ?? session.agent_settings;
}

/** The new message with the id that it will have; null: the request has none. */
export function toQueuedMessage(
  { newId, now }: Pick<TurnDeps, 'newId' | 'now'>,
  request: TurnRequest,
): QueuedMessage | null {
  const { placed } = request;
  if (placed !== undefined) {
    const content = placed.messages.at(-1)?.content ?? '';
    return { messageId: newId(10), content, timestamp: now(), images: [], placed };
  }
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
