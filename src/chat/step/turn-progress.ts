// A turn that runs: what it was given and what has happened so far.
import type { ContextReceipt, WindowReason } from '../../contract/context-window.ts';
import type { EngineModel } from '../../contract/engine.ts';
import type { TurnUsage } from '../../contract/turn.ts';
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { ModelUse } from '../../window/model-windows.ts';
import type { PromptPlan } from '../prompt/plan-prompt.ts';
import type { TurnRequest } from '../turn-request.ts';
import type { LiveTurn } from '../watch/live-turn.ts';
import type { Draft } from './draft.ts';

/** A turn whose user message is stored and whose turn it is to run. */
export interface RunningTurn {
  readonly live: LiveTurn;
  readonly session: StoredSession;
  readonly model: EngineModel | null;
  readonly request: TurnRequest;
  /** The message to answer. */
  readonly tip: PathPlace;
  /** Whether this turn has put it on the path. */
  readonly ownsTip: boolean;
}

/** The place of a model call with the engine: see the line. */
interface CallPlace {
  readonly isBehind: boolean;
  readonly signal: AbortSignal;
  whenServed(tell: () => void): void;
  stall(restart: () => Promise<void>): boolean;
  begin(): void;
  note(waitedMs: number | null): void;
}

/** What has happened so far; it ends up in the turn's row. */
export interface TurnProgress {
  tip: PathPlace;
  draft: Draft | null;
  messageId: string | null;
  usage: TurnUsage | null;
  /** What the name of the model stands for, as far as is known by now. */
  model: EngineModel | null;
  /** Of the model call that runs, or ran last. */
  plan: PromptPlan | null;
  receipt: ContextReceipt | null;
  reason: WindowReason | null;
  /** The last prompt that the engine has begun to answer, in this turn or before it. */
  mark: PromptMark | null;
  /** Of the model call that runs. */
  place: CallPlace | null;
  /** The engine had lost a request of this turn, and has loaded the model anew. */
  isRestarted: boolean;
  /** The engine holds the model for it; null before a model call has begun to answer. */
  use: ModelUse | null;
  /** Whether the engine was asked in this turn which windows it holds. */
  hasAskedWindows: boolean;
}

/** Whether the engine has begun to answer the model call that runs, or ran last. */
export function hasBegun({ draft, mark }: TurnProgress): boolean {
  return draft !== null && mark?.answerId === draft.options.messageId;
}
