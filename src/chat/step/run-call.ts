// One run of a tool for a turn: what it may know, what it tells meanwhile, and what came of it.
import type { TurnEvent } from '../../contract/turn-event.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { startToolCall } from '../../store/tool-calls.ts';
import type { ToolOutcome, ToolProgress } from '../../tools/tool.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { type CallResult, failure, success } from './call-result.ts';
import type { CallToRun, RoundCall } from './plan-round.ts';
import { shortenResult } from './shorten-result.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** A source ends its tools within a second or two of an abort; a turn that is stopped waits no longer than this. */
const STOP_MS = 5000;
/** Progress is told ten times a second at most. */
const PROGRESS_MS = 100;
/** What a tool says of its progress, in characters. */
const PROGRESS_LENGTH = 1000;

export interface CallRun {
  /** Of the assistant message with the call. */
  readonly messageId: string;
  readonly executionId: string;
  readonly planned: CallToRun;
  readonly tell: (progress: ProgressEvent['data']) => void;
}

type ProgressEvent = Extract<TurnEvent, { event: 'tool_progress' }>;

/** That it begins is on disk before it does. @throws what the store throws */
export async function runCall(
  deps: TurnDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  run: CallRun,
): Promise<CallResult> {
  const { live } = turn;
  const { messageId, executionId, planned } = run;
  const { call, callIndex, plan } = planned;
  await startToolCall(deps.db, { sessionId: live.sessionId, messageId, callIndex });
  const running = deps.tools.run(plan.ready, {
    sessionId: live.sessionId,
    turnId: live.turnId,
    toolCallId: call.id,
    executionId,
    attempt: 1,
    idempotencyKey: `${live.sessionId}:${messageId}:${callIndex}`,
    signal: live.signal,
    onProgress: paced((told) => run.tell({ ...nameOf(planned), ...told })),
  });
  const outcome = await orStopped(running, planned.name, live.signal);
  const text = shortenResult(deps, turn, progress, { text: outcome.text, executionId });
  return outcome.state === 'succeeded' ? success(text, outcome.images) : failure(text);
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
  name: string,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const { promise, resolve } = Promise.withResolvers<ToolOutcome>();
  let timer: NodeJS.Timeout | undefined;
  const text = `Tool '${name}' was stopped; it may have taken effect`;
  const onAbort = () => {
    timer = setTimeout(
      () => resolve({ state: 'unknown', text, truncated: false, images: [], log: null }),
      STOP_MS,
    );
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
