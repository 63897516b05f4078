// What a plan begins with: the window that may be asked for, the system prompt, and what a schema takes.
import type { EngineModel } from '../../contract/engine.ts';
import { digestOf } from '../../kit/digest.ts';
import { findSystemMessage, type PromptMessage } from '../../store/messages.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { Offer } from '../../tools/offer.ts';
import type { WindowQuestion } from '../../window/choose-window.ts';
import { addSizes, estimateTokens, NO_SIZE, type PromptSize, sizeOf } from '../../window/estimate.ts';
import { weightsOf } from '../../window/model-windows.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { TurnRequest } from '../turn-request.ts';
import { forcedFormat, forcedNudge } from './forced-call.ts';

/** What planning may touch. */
export type PlanDeps = Pick<
  TurnDeps,
  'db' | 'answerLengths' | 'loadFailures' | 'modelWindows' | 'tokenRatios' | 'windowPolicy'
>;

/** What is planned, wherever it stands on the path. */
export interface PlannedRequest extends AskedRequest {
  readonly session: StoredSession;
}

/** What says whether there is room: also for a session that is not there yet. */
export interface AskedRequest {
  readonly session: Pick<StoredSession, 'session_id' | 'model' | 'context_window' | 'systemId'>;
  /** Null when the engine could not be asked about it. */
  readonly model: EngineModel | null;
  readonly request: TurnRequest;
  /** The tools of the turn, whether or not the model can call any. */
  readonly offer: Offer;
  /** Said after everything else, and stored nowhere; null or missing: nothing. */
  readonly nudge?: string | null;
}

export function askWindow(deps: PlanDeps, { session, model, request }: AskedRequest): WindowQuestion {
  const weights = weightsOf(model, session.model);
  return {
    config: session.context_window,
    ...deps.windowPolicy,
    firstWindow: model?.wishedWindow ?? deps.windowPolicy.firstWindow,
    trainedLength: model?.trainedLength ?? null,
    turnWindow: request.options.num_ctx ?? null,
    atLeast: request.windowAtLeast,
    modelWindow: deps.modelWindows.current(weights),
    loadedWindow: deps.modelWindows.loaded(weights),
    loadableWindow: deps.loadFailures.loadable(weights),
    numPredict: request.options.num_predict ?? null,
    usualReserve: deps.answerLengths.reserve(session.model),
  };
}

/** A schema may be written into the prompt; that it is not costs little room. */
export function formatTokens(deps: PlanDeps, { session, request, offer }: AskedRequest): number {
  const format = forcedFormat(offer.forced ?? []) ?? request.format;
  if (format === null || format === 'json') return 0;
  const content = JSON.stringify(format);
  return estimateTokens(sizeOf({ content }), deps.tokenRatios.current(session.model));
}

/** What the engine puts before the conversation of itself. */
export function ownSize(model: EngineModel | null, hasSystem: boolean): PromptSize {
  const own = model?.ownPrompt?.filter(({ role }) => role !== 'system' || !hasSystem) ?? [];
  return own.reduce((sum, { content }) => addSizes(sum, sizeOf({ content })), NO_SIZE);
}

/** What is said last, and stored nowhere. */
export function nudgeSize(question: Pick<AskedRequest, 'nudge' | 'offer'>): PromptSize {
  const nudge = nudgeOf(question);
  return nudge === null ? NO_SIZE : sizeOf({ content: nudge });
}

export function nudgeOf({ nudge = null, offer }: Pick<AskedRequest, 'nudge' | 'offer'>): string | null {
  return nudge ?? forcedNudge(offer.forced ?? []);
}

/** The system message: that of the turn, else of the session; null when there is none. */
export async function findSystem(
  deps: PlanDeps,
  session: AskedRequest['session'],
  request?: Pick<TurnRequest, 'system'>,
): Promise<Pick<PromptMessage, 'content'> | null> {
  if (request?.system !== undefined) return { content: request.system };
  return session.systemId === null ? null : findSystemMessage(deps.db, session.session_id);
}

/** Another one whenever the system prompt is another one; null: there is none. */
export function systemMark({ session, request }: Pick<AskedRequest, 'session' | 'request'>): string | null {
  return request.system === undefined ? session.systemId : digestOf(request.system);
}
