// The turns of a server, from what its operator says.
import { type AgentOptions, toAgentLimits } from '../agents/server-limits.ts';
import { Bell } from '../kit/bell.ts';
import { patientDb } from '../store/durable.ts';
import { createEngineLine } from './line/engine-line.ts';
import type { SharedSlots } from './line/shared-slots.ts';
import { type LiveTurnDeps, LiveTurns } from './live-turns.ts';
import { createModelRates } from './prompt/model-rates.ts';
import { Checkpoints } from './step/checkpoints.ts';

/** As the configuration has them. */
interface TurnOptions extends AgentOptions {
  /** Null: the engine's. */
  readonly defaultModel: string | null;
  readonly maxToolIterations: number;
  readonly maxParallelTools: number;
  readonly toolResultChars: number;
  readonly toolCallRescue: boolean;
  readonly maxConcurrentTurns: number;
  readonly maxQueuedTurns: number;
  /** Null: it is learned. */
  readonly engineParallel: number | null;
  /** 0: its silence is never too long. */
  readonly engineStallSeconds: number;
}

type TurnDoors = Omit<
  LiveTurnDeps,
  | 'modelRates'
  | 'engineLine'
  | 'stallMs'
  | 'checkpoints'
  | 'maxSteps'
  | 'toolLimits'
  | 'rescuesCalls'
  | 'agentLimits'
  | 'defaultModel'
  | 'lineBell'
  | 'closing'
> & {
  /** Null: no other server asks the engine. */
  readonly engineSlots: SharedSlots | null;
};

export function openTurns({ engineSlots, ...doors }: TurnDoors, options: TurnOptions): LiveTurns {
  const { engineParallel: parallel, engineStallSeconds: stallSeconds } = options;
  return new LiveTurns(
    {
      ...doors,
      modelRates: createModelRates(),
      engineLine: createEngineLine({ parallel, clock: () => performance.now(), shared: engineSlots }),
      stallMs: stallSeconds === 0 ? null : stallSeconds * 1000,
      checkpoints: new Checkpoints(patientDb(doors.db)),
      lineBell: new Bell(),
      closing: new AbortController(),
      defaultModel: options.defaultModel,
      maxSteps: options.maxToolIterations,
      toolLimits: { maxParallel: options.maxParallelTools, resultCharacters: options.toolResultChars },
      rescuesCalls: options.toolCallRescue,
      agentLimits: toAgentLimits(options),
    },
    { maxRunning: options.maxConcurrentTurns, maxQueued: options.maxQueuedTurns },
  );
}
