// What a turn was asked with and how far it has come, as its row keeps it: enough for another process to go on.
import type { TurnUsage } from '../../contract/turn.ts';
import { type AnswerWishes, USUAL_WISHES } from '../answer-wishes.ts';
import type { PlacedHistory, TurnRequest } from '../turn-request.ts';
import { agentSettingsOf, toolSettingsOf } from '../turn-request.ts';
import type { LastRun } from './repetition.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

export interface TurnSettings {
  readonly model: string;
  readonly request: Partial<AnswerWishes> &
    Pick<TurnRequest, 'toolSettings' | 'agentSettings' | 'onApproval'>;
  readonly rounds: number;
  readonly lastRun: LastRun | null;
  readonly usage: TurnUsage | null;
  /** Of all that its client has said: by it the conversation is recognised. Missing: the client does not say it all. */
  readonly said?: string;
}

export function toTurnSettings(
  { session, request }: RunningTurn,
  { rounds, lastRun, usage }: TurnProgress,
): TurnSettings {
  const { think, options, format, clientTools, toolChoice, isParallel, windowAtLeast, keepAlive } = request;
  const wishes = { think, options, format, clientTools, toolChoice, isParallel, windowAtLeast, keepAlive };
  const { chain = null } = request.placed ?? {};
  // A change of the session meanwhile is for its next turn.
  const toolSettings = toolSettingsOf(session, request);
  const agentSettings = agentSettingsOf(session, request);
  return {
    model: session.model,
    request: { ...wishes, toolSettings, agentSettings, onApproval: request.onApproval },
    rounds,
    lastRun,
    usage,
    ...(chain !== null && { said: chain.end }),
  };
}

/** @param settings as `toTurnSettings` made them; null: there are none, so it goes on as a turn that asked for nothing */
export function toResumedRequest(settings: TurnSettings | null): TurnRequest {
  return {
    ...USUAL_WISHES,
    toolSettings: null,
    agentSettings: null,
    ...settings?.request,
    message: null,
    mode: 'continue',
    replaces: null,
    images: [],
    toolResults: [],
    onBusy: null,
    onApproval: settings?.request.onApproval ?? 'wait',
    ...(settings?.said !== undefined && { placed: placedBefore(settings.said) }),
  };
}

/** It is on the path; only its answer is not marked. */
export function placedBefore(end: string): PlacedHistory {
  return { after: 'head', messages: [], chain: { answers: [], end }, system: null, refusesStray: false };
}

/** @param stored as the row has them */
export function readTurnSettings(stored: object | null): TurnSettings | null {
  // Nobody else writes them.
  return stored as TurnSettings | null;
}
