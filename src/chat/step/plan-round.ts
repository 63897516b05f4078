// The calls of one answer, and what is to become of each: decided before any of them runs.
import { setImmediate } from 'node:timers/promises';
import type { EngineToolCall } from '../../contract/engine.ts';
import type { PreparedCall, ReadyCall } from '../../tools/prepare-call.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { toolSettingsOf } from '../turn-request.ts';
import { answerUnapproved } from './answer-unapproved.ts';
import { type CallResult, failure } from './call-result.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** Calls of one answer that may run; those beyond are answered. */
const MAX_RUN_CALLS = 128;
/** Prepared before others have a turn. */
const CALLS_AT_ONCE = 8;

/** A call as it is told: with the tool that was meant, and the arguments with which it would run. */
export interface RoundCall {
  readonly call: EngineToolCall;
  readonly callIndex: number;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** It runs, or this is its answer. */
  readonly plan: { readonly ready: ReadyCall } | { readonly answer: CallResult };
}

export async function planRound(
  { tools }: Pick<TurnDeps, 'tools'>,
  { session, request }: Pick<RunningTurn, 'session' | 'request'>,
  { plan, draft }: Pick<TurnProgress, 'plan' | 'draft'>,
): Promise<RoundCall[]> {
  // What this very prompt has offered, whatever the session names.
  const offer = { tools: plan?.tools ?? [], missing: [] };
  const standing = { offer, session: toolSettingsOf(session, request) };
  const calls: RoundCall[] = [];
  for (const [callIndex, call] of (draft?.toolCalls ?? []).entries()) {
    const prepared = tools.prepare(call, standing);
    const { name, arguments: args } = prepared;
    const isBeyond = callIndex >= MAX_RUN_CALLS;
    const planned = isBeyond ? { answer: failure(TOO_MANY) } : toPlan(prepared);
    calls.push({ call, callIndex, name, arguments: args, plan: planned });
    // Checking arguments takes this thread: others have a turn in between.
    if (callIndex % CALLS_AT_ONCE === CALLS_AT_ONCE - 1) await setImmediate();
  }
  return calls;
}

const TOO_MANY = `This call was not run: an answer may call ${MAX_RUN_CALLS} tools. Call fewer at once.`;

function toPlan(prepared: PreparedCall): RoundCall['plan'] {
  if ('text' in prepared) return { answer: failure(prepared.text) };
  return prepared.verdict.decision === 'run'
    ? { ready: prepared }
    : { answer: answerUnapproved(prepared.name) };
}

export type CallToRun = RoundCall & { readonly plan: { readonly ready: ReadyCall } };
type AnsweredCall = RoundCall & { readonly plan: { readonly answer: CallResult } };

/** Consecutive calls of a round that are settled in one go. */
export type RoundPart =
  | { readonly run: readonly CallToRun[] }
  /** Stored together. */
  | { readonly answered: readonly AnsweredCall[] };

/** Side by side run only calls that change nothing; the same one twice would hide a repetition. */
export function partsOf(calls: readonly RoundCall[]): RoundPart[] {
  const parts: ({ run: CallToRun[] } | { answered: AnsweredCall[] })[] = [];
  for (const call of calls) {
    const last = parts.at(-1);
    if (isAnswered(call)) {
      if (last !== undefined && 'answered' in last) last.answered.push(call);
      else parts.push({ answered: [call] });
    } else if (isToRun(call)) {
      if (last !== undefined && 'run' in last && fitsBeside(last.run, call)) last.run.push(call);
      else parts.push({ run: [call] });
    }
  }
  return parts;
}

function isAnswered(call: RoundCall): call is AnsweredCall {
  return 'answer' in call.plan;
}

function isToRun(call: RoundCall): call is CallToRun {
  return 'ready' in call.plan;
}

function fitsBeside(others: readonly CallToRun[], { plan: { ready } }: CallToRun): boolean {
  return (
    ready.tool.readOnly &&
    others.every(({ plan }) => plan.ready.tool.readOnly && plan.ready.digest !== ready.digest)
  );
}
