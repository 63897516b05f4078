// A turn that runs: what it was given and what has happened so far.
import type { ContextReceipt, WindowReason } from '../../contract/context-window.ts';
import type { EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import type { TurnUsage } from '../../contract/turn.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import type { Db } from '../../store/database.ts';
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { Offer } from '../../tools/offer.ts';
import type { ModelUse } from '../../window/model-windows.ts';
import type { GivenPrompt } from '../prompt/given-prompt.ts';
import type { PromptPlan } from '../prompt/plan-prompt.ts';
import type { TurnRequest } from '../turn-request.ts';
import type { LiveTurn } from '../watch/live-turn.ts';
import type { Draft } from './draft.ts';
import type { LastRun } from './repetition.ts';

/** A turn whose user message is stored and whose turn it is to run. */
export interface RunningTurn {
  readonly live: LiveTurn;
  readonly session: StoredSession;
  readonly model: EngineModel | null;
  readonly request: TurnRequest;
  /** Its whole prompt, where neither that nor the answer is stored; missing: the path of the session. */
  readonly given?: GivenPrompt;
  /** The message to answer. */
  readonly tip: PathPlace;
  /** Whether this turn has put it on the path. */
  readonly ownsTip: boolean;
  /** Where the path ended before; null: it was empty, or nobody needs to know. */
  readonly headBefore: PathPlace | null;
  readonly seat: Seat;
  readonly person: Person;
  /** The turn that has started it, and waits where it waits; null: no turn has. */
  readonly parent: LiveTurn | null;
  /** Runs a call of an agent to its end; null: nobody can here. */
  readonly runAgent: RunAgent | null;
}

/** A call of `agent`, and what its ends are for the turn that made it. */
export interface AgentCallRun {
  readonly call: { readonly messageId: string; readonly callIndex: number; readonly callId: string };
  readonly arguments: Readonly<Record<string, unknown>>;
  /** It has begun in another process. */
  readonly hasBegun: boolean;
  /** Of what the model reads of it, in characters. */
  readonly resultLimit: number;
  /** In the transaction that starts it. */
  readonly onStart: (db: Db) => Promise<void>;
  /** In the transaction that ends it. */
  readonly onEnd: (db: Db, result: { readonly success: boolean; readonly text: string }) => Promise<void>;
}

/**
 * Yields what the turn tells of it.
 * @returns why there is no run, in words for the model; null: there was one
 * @throws TurnSuspended; what ends the turn that started it, too
 */
export type RunAgent = (
  parent: Pick<RunningTurn, 'live' | 'session' | 'request' | 'seat'>,
  run: AgentCallRun,
) => AsyncGenerator<readonly TurnEvent[], string | null>;

/** Where the person is who is asked about the calls of a turn. */
export interface Person {
  readonly sessionId: string;
  /** Where an agent asks: who that is, and its chat. */
  readonly agentName?: string;
  readonly agentSessionId?: string;
}

/** What a turn holds while it runs: a slot, and the engine before work in the background. */
export interface Seat {
  readonly isTaken: boolean;
  /** Turns that go on before it, while it wants its seat back. */
  readonly position: number;
  /** It waits for a person. */
  leave(): void;
  /** Resolves when it may go on. */
  take(): Promise<void>;
  /** Aborted when the server stops: what waits for a person is left as it is, for the next start. */
  readonly closing: AbortSignal;
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
  /** The tools that the turn began with; none once it is asked again without. */
  offer: Offer;
  /** Said to the model after everything else, and stored nowhere; null: nothing. */
  nudge: string | null;
  /** The tool call that ran last; null: none yet. */
  lastRun: LastRun | null;
  /** Rounds of tools that were planned. */
  rounds: number;
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
  /** How its script has it told, one for one; null: as it is. */
  voice: ((events: readonly TurnEvent[]) => readonly TurnEvent[]) | null;
}

/** At once, to all who watch. */
export function tell(
  { live }: Pick<RunningTurn, 'live'>,
  { voice }: Pick<TurnProgress, 'voice'>,
  events: readonly TurnEvent[],
): void {
  live.append(voice === null ? events : voice(events));
}

/** As it comes. @returns what is made of it */
export async function tellAll<T>(
  turn: Pick<RunningTurn, 'live'>,
  progress: Pick<TurnProgress, 'voice'>,
  told: AsyncGenerator<readonly TurnEvent[], T>,
): Promise<T> {
  for (;;) {
    const { done, value } = await told.next();
    if (done) return value;
    tell(turn, progress, value);
  }
}

/** Whether the engine has begun to answer the model call that runs, or ran last. */
export function hasBegun({ draft, mark }: TurnProgress): boolean {
  return draft !== null && mark?.answerId === draft.options.messageId;
}

/** Why a stopped turn does nothing more, in words that complete "it was not run". */
export function stopText({ reason }: AbortSignal): string {
  const isCancelled = reason instanceof MochiError && reason.kind === 'turn_cancelled';
  return isCancelled ? 'the turn was cancelled' : 'the server was stopping';
}
