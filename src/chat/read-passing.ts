// A request that is stored nowhere, as plans and calls of the model look at it: with a session that there is not.
import type { EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { INITIAL_WINDOW } from '../sessions/change-window.ts';
import { completeAgentSettings, completeToolSettings } from '../sessions/settings.ts';
import type { StoredSession } from '../store/sessions.ts';
import { registerClientTools } from '../tools/client-tools.ts';
import type { Offer } from '../tools/offer.ts';
import type { PassingRequest } from './passing-request.ts';
import { chosenOffer } from './prompt/forced-call.ts';
import { cannotComplete } from './step/model-step.ts';
import { checkFormat } from './step/structured-output.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';

/** In the place of the id of a session. */
export const NO_SESSION = '';

interface ReadPassing {
  readonly session: StoredSession;
  readonly request: TurnRequest;
  readonly offer: Offer;
}

/** @throws MochiError validation_error, not_supported */
export async function readPassing(
  { engine, now }: Pick<TurnDeps, 'engine' | 'now'>,
  given: PassingRequest,
): Promise<ReadPassing> {
  if (given.format !== null) checkFormat(given.format);
  if (given.completion !== undefined && engine.complete === undefined) throw cannotComplete(given.model);
  const offer = { tools: await registerClientTools(given.clientTools), missing: [] };
  return {
    offer: chosenOffer(offer, given.toolChoice),
    session: sessionOf(given, now()),
    request: toRequest(given),
  };
}

/** A session is given no model that cannot. @throws MochiError not_supported */
export function requireChat(model: EngineModel | null): void {
  if (model === null || model.capabilities.includes('completion')) return;
  const { name, capabilities } = model;
  const text = `Model ${name} does not support chat: it is for ${capabilities.join(', ')}. Choose another one.`;
  throw new MochiError('not_supported', text, { model: name });
}

/** As it would be if there was one: what plans and calls of the model ask of a session. */
function sessionOf({ model }: PassingRequest, now: string): StoredSession {
  return {
    session_id: NO_SESSION,
    model,
    title: null,
    created_at: now,
    updated_at: now,
    message_count: 0,
    metadata: {},
    tool_settings: completeToolSettings(null),
    agent_settings: completeAgentSettings(null),
    context_window: INITIAL_WINDOW,
    summary_model: null,
    active_turn: null,
    summary: null,
    systemId: null,
    headId: null,
    headDepth: -1,
    promptMark: null,
    kind: 'chat',
    agentName: null,
    parentSessionId: null,
    clientKey: null,
    isListed: false,
    newestTurnAt: null,
  };
}

function toRequest({ messages, system: _system, ...wishes }: PassingRequest): TurnRequest {
  const newest = messages.findLast(({ role }) => role === 'user');
  return {
    ...wishes,
    message: null,
    mode: 'continue',
    replaces: null,
    // Of those before, a model that cannot see is not shown any.
    images: newest?.images ?? [],
    toolSettings: null,
    toolResults: [],
    agentSettings: null,
    onBusy: null,
    onApproval: 'fail',
  };
}
