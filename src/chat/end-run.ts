// The end of a run of an agent, whoever started it: what is told, and the result that is stored with it.
import { type RunEnd, runResult } from '../agents/result-text.ts';
import { baseOf } from '../agents/translate-events.ts';
import type { RunEndReason } from '../contract/agent-event.ts';
import type { MochiError } from '../contract/errors.ts';
import type { TurnUsage } from '../contract/turn.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import { type AgentRun, ownPlace } from './agent-run.ts';
import { PLAN_DENIED } from './approve-plan.ts';
import { NO_ENDING, type TurnEnding } from './step/turn-ending.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import { isDeletionOf } from './stop-reasons.ts';
import { listToldSteps } from './told-steps.ts';
import type { TurnDeps } from './turn-deps.ts';

/** What of a run is needed to end it. */
export type EndingRun = Pick<AgentRun, 'place' | 'resultLimit' | 'onEnd'>;

interface EndingParts {
  readonly deps: TurnDeps;
  readonly turn: Pick<RunningTurn, 'live'>;
  readonly progress: TurnProgress;
  readonly run: EndingRun;
}

interface Ending {
  readonly end: RunEnd;
  /** In which it ended. */
  readonly round: number;
  readonly usage: TurnUsage | null;
}

/** @throws what the store throws */
export async function endRun(
  { deps, progress, run }: EndingParts,
  { end, round, usage }: Ending,
): Promise<TurnEnding> {
  const { agentName, chatId, runId } = run.place;
  const stored = await listToldSteps(deps.db, chatId, runId);
  // What is being written is in memory whole.
  const { draft } = progress;
  const isOnDisk = draft !== null && draft.place !== null;
  const steps = isOnDisk ? stored.slice(0, -1) : stored;
  const said = draft === null ? [] : [{ kind: 'text' as const, text: draft.content }];
  const result = runResult({ chatId, agentName, steps: [...steps, ...said], end }, run.resultLimit);
  const told: TurnEvent = {
    event: 'agent_complete',
    data: {
      ...baseOf(ownPlace(run.place)),
      output: result.success ? result.text : `Error: ${result.text}`,
      success: result.success,
      reason: reasonOf(end),
      rounds: round,
      usage,
    },
  };
  const { onEnd } = run;
  return { events: [told], store: onEnd === null ? null : (db) => onEnd(db, result) };
}

/** Never throws. */
export async function failRun(parts: EndingParts, failure: MochiError, round: number): Promise<TurnEnding> {
  const { deps, turn, progress } = parts;
  try {
    return await endRun(parts, { end: failedEnd(failure, parts.run.place), round, usage: progress.usage });
  } catch (error) {
    deps.log.error({ err: error, turn_id: turn.live.turnId }, 'what an agent did could not be read');
    return NO_ENDING;
  }
}

function failedEnd(failure: MochiError, { chatId }: AgentRun['place']): RunEnd {
  const { kind, fact: message, details } = failure;
  if (details['reason'] === PLAN_DENIED) return { reason: PLAN_DENIED, message };
  if (isDeletionOf(failure, chatId)) return { reason: 'deleted' };
  if (kind === 'turn_cancelled') return { reason: 'cancelled' };
  return { reason: kind === 'turn_interrupted' ? 'interrupted' : 'failed', message };
}

function reasonOf({ reason }: RunEnd): RunEndReason {
  if (reason === 'deleted') return 'cancelled';
  return reason === 'interrupted' ? 'failed' : reason;
}
