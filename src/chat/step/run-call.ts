// One run of a tool for a turn: on disk before it begins, what it may know, what it tells meanwhile, what came of it.
import type { TurnEvent } from '../../contract/turn-event.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { changeTurn } from '../../store/tenure.ts';
import { type ExecutionEnd, reopenCall, startExecution } from '../../store/tool-executions.ts';
import type { RegisteredTool } from '../../tools/registered-tool.ts';
import type { ToolAsks, ToolOutcome, ToolProgress, ToolRunContext } from '../../tools/tool.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { type CallResult, failure, success } from './call-result.ts';
import type { CallToRun, RoundCall } from './read-round.ts';
import { shortenResult } from './shorten-result.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** A source ends its tools within a second or two of an abort; a turn that is stopped waits no longer than this. */
const STOP_MS = 5000;
/** Progress is told ten times a second at most. */
const PROGRESS_MS = 100;
/** What a tool says of its progress, in characters. */
const PROGRESS_LENGTH = 1000;

/** A run that is in the journal and may begin. */
export interface BegunCall {
  readonly executionId: string;
  /** From 1. */
  readonly attempt: number;
}

/** What came of a run: the answer to its call, and how the journal has it. */
export interface RunEnd {
  readonly result: CallResult;
  readonly end: ExecutionEnd;
  /** It is no answer: people are asked first. */
  readonly asks?: ToolAsks;
}

export interface CallRun {
  /** Of the assistant message with the call. */
  readonly messageId: string;
  readonly planned: CallToRun;
}

/** What a run says meanwhile. */
interface RunVoice {
  readonly tell: (progress: ProgressEvent['data']) => void;
  /** Missing: it can ask nobody. */
  readonly askPerson: ToolRunContext['askPerson'];
}

type ProgressEvent = Extract<TurnEvent, { event: 'tool_progress' }>;

/** What follows happens after this is on disk. @throws what the store throws; Error when the call is no longer open */
export async function beginCall(
  deps: TurnDeps,
  { live }: RunningTurn,
  { messageId, planned }: CallRun,
): Promise<BegunCall> {
  const { callIndex, plan } = planned;
  const { tool, digest, repairs, arguments: args } = plan.ready;
  const executionId = `exec_${deps.newId(12)}`;
  const call = { sessionId: live.sessionId, messageId, callIndex };
  const { bootId } = deps;
  const start = { id: executionId, bootId, startedAt: deps.now(), tool, arguments: args, digest, repairs };
  const isRetry = planned.approval?.kind === 'outcome';
  const attempt = await changeTurn(deps.db, live, async (db) => {
    if (isRetry) await reopenCall(db, call);
    return startExecution(db, call, start);
  });
  return { executionId, attempt };
}

/** @param run has begun. Never throws */
export async function runCall(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  run: CallRun & BegunCall & RunVoice,
): Promise<RunEnd> {
  const { live } = turn;
  const { messageId, executionId, planned } = run;
  const { call, callIndex, plan } = planned;
  const began = performance.now();
  const running = deps.tools.run(plan.ready, {
    sessionId: live.sessionId,
    turnId: live.turnId,
    toolCallId: call.id,
    executionId,
    attempt: run.attempt,
    idempotencyKey: `${live.sessionId}:${messageId}:${callIndex}`,
    signal: live.signal,
    onProgress: paced((told) => run.tell({ ...nameOf(planned), ...told })),
    ...(run.askPerson !== undefined && { askPerson: run.askPerson }),
    ...(plan.ready.resume !== undefined && { resume: plan.ready.resume }),
  });
  const outcome = await orStopped(running, plan.ready.tool, live.signal);
  const text = shortenResult(deps, turn, progress, { text: outcome.text, source: executionId });
  const isSuccess = outcome.state === 'succeeded';
  const { asks } = outcome;
  return {
    result: isSuccess ? success(text, outcome.images) : failure(text),
    ...(asks !== undefined && { asks }),
    end: {
      state: asks === undefined ? outcome.state : 'asked',
      finishedAt: deps.now(),
      durationMs: Math.round(performance.now() - began),
      error: isSuccess || asks !== undefined ? null : text,
      truncated: outcome.truncated,
      resultBytes: Buffer.byteLength(outcome.text),
      // What the call is answered with, or the error, is the whole of it where nothing was left out or added.
      output: text === outcome.text && !planned.isEdited ? null : outcome.text,
      log: outcome.log,
    },
  };
}

/** A run that has begun in the journal, and whose turn was stopped before its tool did. */
export function endBeforeRun(deps: Pick<TurnDeps, 'now'>, result: CallResult): RunEnd {
  const end = {
    finishedAt: deps.now(),
    durationMs: 0,
    truncated: false,
    resultBytes: 0,
    output: null,
    log: null,
  };
  return { result, end: { ...end, state: 'failed', error: result.text } };
}

/** How events name a call. */
export function nameOf({ call, callIndex, name }: Pick<RoundCall, 'call' | 'callIndex' | 'name'>) {
  return { tool_name: name, tool_call_id: call.id, call_index: callIndex };
}

function paced(tell: (progress: ToolProgress) => void): (progress: ToolProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return ({ message, progress, total }) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return;
    last = now;
    tell({ message: message && cutText(message, PROGRESS_LENGTH), progress, total });
  };
}

async function orStopped(
  running: Promise<ToolOutcome>,
  { name, readOnly }: Pick<RegisteredTool, 'name' | 'readOnly'>,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const { promise, resolve } = Promise.withResolvers<ToolOutcome>();
  let timer: NodeJS.Timeout | undefined;
  const text = `Tool '${name}' was stopped`;
  const stopped: ToolOutcome = { state: 'failed', text, truncated: false, images: [], log: null };
  const outcome: ToolOutcome = readOnly
    ? stopped
    : { ...stopped, state: 'unknown', text: `${text}; it may have taken effect` };
  const onAbort = () => {
    timer = setTimeout(() => resolve(outcome), STOP_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([running, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
