// What a turn may touch: built once in server.ts, handed to each function.

import type { Agents } from '../agents/agents.ts';
import type { AgentLimits } from '../agents/server-limits.ts';
import type { Approvals } from '../approvals/approvals.ts';
import type { Engine } from '../contract/engine.ts';
import type { Bell } from '../kit/bell.ts';
import type { Log } from '../kit/log.ts';
import type { Db } from '../store/database.ts';
import type { BackgroundJobs } from '../summaries/background-jobs.ts';
import type { Tools } from '../tools/tools.ts';
import type { AnswerLengths } from '../window/answer-lengths.ts';
import type { LoadFailures } from '../window/load-failures.ts';
import type { ModelWindows } from '../window/model-windows.ts';
import type { TokenRatios } from '../window/token-ratios.ts';

/** What the operator says about context windows. */
interface WindowPolicy {
  readonly dynamicEnabled: boolean;
  /** First step of the ladder, in tokens. */
  readonly firstWindow: number;
  /** Tokens; null: as large as the model was trained for. */
  readonly maxWindow: number | null;
}

interface ToolLimits {
  /** Calls of one message that run at once, where all of them only read. */
  readonly maxParallel: number;
  /** Of a result, for the model. */
  readonly resultCharacters: number;
}

export interface TurnDeps {
  readonly db: Db;
  readonly engine: Engine;
  /** The model of sessions that name none; null: the engine's. */
  readonly defaultModel: string | null;
  readonly log: Log;
  /** What a client waits for comes before it. */
  readonly background: BackgroundJobs;
  readonly answerLengths: AnswerLengths;
  readonly loadFailures: LoadFailures;
  readonly modelWindows: ModelWindows;
  readonly tokenRatios: TokenRatios;
  readonly windowPolicy: WindowPolicy;
  readonly tools: Tools;
  readonly approvals: Approvals;
  readonly toolLimits: ToolLimits;
  readonly agents: Agents;
  readonly agentLimits: AgentLimits;
  /** Whether calls that a model writes as its answer are taken for calls. */
  readonly rescuesCalls: boolean;
  /** Model calls in one turn, at most. */
  readonly maxSteps: number;
  /** Rung when the line of a session may have moved, where other servers share the database. */
  readonly lineBell: Bell;
  /** Aborted when the server stops. */
  readonly closing: AbortController;
  /** Names this run of the server in the journal of tools. */
  readonly bootId: string;
  /** @param digits even number of hex digits */
  readonly newId: (digits: number) => string;
  /** ISO 8601, UTC, six fraction digits. */
  readonly now: () => string;
}
