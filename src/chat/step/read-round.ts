// The calls of a round that have no result yet, read from their rows: what is to become of each now. A round is read
// anew whenever it is gone on with, in this process or in another one.
import { createAgentTool } from '../../agents/agent-tool.ts';
import type { Approval } from '../../contract/approval.ts';
import type { EngineToolCall } from '../../contract/engine.ts';
import { listUnsettledCalls, type StoredAsks, type UnsettledCall } from '../../store/tool-calls.ts';
import { digestOfCall } from '../../tools/prepare-call.ts';
import type { RegisteredTool } from '../../tools/registered-tool.ts';
import type { ToolResume } from '../../tools/tool.ts';
import type { TurnDeps } from '../turn-deps.ts';
import { type CallResult, declined, failure, notRunAgain, success } from './call-result.ts';
import { toAnswer } from './person-answer.ts';
import { MAX_RUN_CALLS, RULES } from './plan-round.ts';
import { answerRepeated } from './repetition.ts';
import { shortenResult } from './shorten-result.ts';
import { type RunningTurn, stopText, type TurnProgress } from './turn-progress.ts';

/** What a call would run with. */
interface ReadyRun {
  readonly tool: RegisteredTool;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly digest: string;
  readonly repairs: readonly string[];
  /** An earlier run of it has asked, and these are the answers. */
  readonly resume?: ToolResume;
}

/** A call as it is told: with the tool that was meant, and the arguments with which it would run. */
export interface RoundCall {
  readonly call: EngineToolCall;
  readonly callIndex: number;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What a person was asked about it last; null: nothing. */
  readonly approval: Approval | null;
  /** A person has changed the arguments. */
  readonly isEdited: boolean;
  /** A run of an agent that another process has begun, and that goes on. */
  readonly hasBegun: boolean;
  /** It runs, this is its answer, or a person has to decide. */
  readonly plan:
    | { readonly ready: ReadyRun }
    | { readonly answer: CallResult }
    | { readonly undecided: Approval }
    /** The client runs it, when the turn has ended. */
    | { readonly handed: true };
}

export type CallToRun = RoundCall & { readonly plan: { readonly ready: ReadyRun } };
type AnsweredCall = RoundCall & { readonly plan: { readonly answer: CallResult } };
export type UndecidedCall = RoundCall & { readonly plan: { readonly undecided: Approval } };

/** Consecutive calls of a round that are settled in one go. */
export type RoundPart =
  | { readonly run: readonly CallToRun[] }
  /** Stored together. */
  | { readonly answered: readonly AnsweredCall[] }
  | { readonly undecided: UndecidedCall };

interface Reading {
  readonly deps: TurnDeps;
  readonly turn: RunningTurn;
  readonly progress: TurnProgress;
}

/** @param messageId of the assistant message with the calls. @returns in call order */
export async function readRound(reading: Reading, messageId: string): Promise<RoundCall[]> {
  const { deps, turn } = reading;
  const { sessionId, turnId } = turn.live;
  const rows = await listUnsettledCalls(deps.db, sessionId, messageId);
  const asked = Map.groupBy(
    (await deps.approvals.ofTurn(deps.db, turnId)).filter((approval) => approval.message_id === messageId),
    (approval) => approval.call_index,
  );
  return rows.map((row) => {
    const { callIndex, call, name } = row;
    const [questions, others] = partition(asked.get(callIndex) ?? [], ({ kind }) => kind === 'question');
    // Of several the newest counts: it comes last. What an earlier one has changed stays so.
    const approval = others.at(-1) ?? null;
    const edited =
      others.findLast(({ decision }) => decision?.arguments != null)?.decision?.arguments ?? null;
    const meant = edited === null ? row : { ...row, arguments: edited };
    const decided = planOf(reading, meant, approval);
    const plan = row.asks === null ? decided : answeredPlan(decided, row.asks, questions);
    const isEdited = edited !== null;
    const hasBegun = row.state === 'running';
    return { call, callIndex, name, arguments: meant.arguments, approval, isEdited, hasBegun, plan };
  });
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** A call that has asked is run again with the answers, when there are all of them. */
function answeredPlan(
  plan: RoundCall['plan'],
  { state, questions }: StoredAsks,
  approvals: readonly Approval[],
): RoundCall['plan'] {
  if (!('ready' in plan)) return plan;
  const asked = questions.map(({ key, confirmation_id: id }) => ({
    key,
    approval: approvals.find((approval) => approval.confirmation_id === id),
  }));
  const undecided = asked.find(({ approval }) => approval?.state === 'pending')?.approval;
  if (undecided !== undefined) return { undecided };
  const answers = asked.map(({ key, approval }) => [key, toAnswer(approval)] as const);
  return { ready: { ...plan.ready, resume: { state, answers: Object.fromEntries(answers) } } };
}

function planOf(reading: Reading, row: UnsettledCall, approval: Approval | null): RoundCall['plan'] {
  if (row.state === 'running') return begunPlan(reading, row);
  if (approval !== null) return decidedPlan(reading, row, approval);
  if (row.plan?.verdict === 'run') {
    return readyPlan(reading, row, { arguments: row.arguments, digest: row.plan.digest });
  }
  if (row.plan?.verdict === 'client') return { handed: true };
  return { answer: refusalOf(reading, row) };
}

/** Only runs of agents outlive a process: whatever its session says now, it goes on. */
function begunPlan({ progress }: Reading, { name, arguments: args, plan }: UnsettledCall): RoundCall['plan'] {
  const tool = progress.offer.tools.find((offered) => offered.name === name) ?? createAgentTool([]);
  const { digest, repairs = [] } = plan ?? {};
  return { ready: { tool, arguments: args, digest: digest ?? '', repairs } };
}

/** Texts of calls that nobody lets run: nothing went wrong with the tool, so no error is told. */
function decidedPlan(reading: Reading, row: UnsettledCall, approval: Approval): RoundCall['plan'] {
  const { state, decision, kind } = approval;
  const { name } = row;
  switch (state) {
    case 'pending':
      return { undecided: approval };
    case 'approved':
      return readyPlan(reading, row, {
        arguments: row.arguments,
        digest: decision?.digest ?? approval.digest,
      });
    case 'answered':
      return { answer: respondedAnswer(reading, approval) };
    case 'denied':
    case 'expired':
    case 'cancelled': {
      const text =
        kind === 'outcome' ? notRunAgain(name).text : undecidedText(name, state, reading.turn.live.signal);
      const { reason = null } = decision ?? {};
      return { answer: declined(reason === null ? text : `${text}: ${reason}`) };
    }
    default:
      return state satisfies never;
  }
}

function undecidedText(name: string, state: 'denied' | 'expired' | 'cancelled', signal: AbortSignal): string {
  if (state === 'denied') return `Tool '${name}' was denied by user`;
  if (state === 'expired') return `Tool '${name}' was not approved in time`;
  return `Tool '${name}' was not run: ${signal.aborted ? stopText(signal) : 'the turn was cancelled'}`;
}

/** What a person gives as the result. */
function respondedAnswer({ deps, turn, progress }: Reading, approval: Approval): CallResult {
  const { content } = approval.decision ?? {};
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? null);
  return success(shortenResult(deps, turn, progress, { text, source: approval.confirmation_id }));
}

function readyPlan(
  { deps, progress }: Reading,
  { name, plan }: UnsettledCall,
  run: { readonly arguments: ReadyRun['arguments']; readonly digest: string | null },
): RoundCall['plan'] {
  const tool =
    progress.offer.tools.find((offered) => offered.name === name) ?? deps.tools.registry().tools.get(name);
  if (tool === undefined || run.digest === null) {
    return { answer: failure(`Tool '${name}' is no longer there.`) };
  }
  const repairs = plan?.repairs ?? [];
  return { ready: { tool, arguments: run.arguments, digest: run.digest, repairs } };
}

/**
 * Looked at right before a call runs that a person has approved: what was approved is this tool with these arguments.
 * @returns why it does not run; null: it may
 */
export function changedSince({ tools }: Pick<TurnDeps, 'tools'>, { plan }: CallToRun): CallResult | null {
  const { tool, arguments: args, digest } = plan.ready;
  const current = tools.find(tool.policyName);
  // That it is gone is told when it is run.
  if (current === null || digestOfCall(current, args) === digest) return null;
  return failure('the tool changed after it was approved');
}

/** Of no account: what is refused is refused before a session is asked. */
const ANY_POLICY = { execution_policy: 'always_confirm', tool_policies: {} };

/** It is said again as it was decided: the same call, looked at with the same tools. */
function refusalOf({ deps, progress }: Reading, { call, name, plan }: UnsettledCall): CallResult {
  if (plan?.rule === RULES.tooMany) {
    return failure(`This call was not run: an answer may call ${MAX_RUN_CALLS} tools. Call fewer at once.`);
  }
  if (plan?.rule === RULES.repeated && progress.lastRun !== null) {
    return answerRepeated(progress.lastRun, name);
  }
  const offer = { tools: progress.plan?.tools ?? progress.offer.tools, missing: [] };
  const prepared = deps.tools.prepare(call, { offer, session: ANY_POLICY });
  return failure('text' in prepared ? prepared.text : `Tool '${name}' was not run: call it again.`);
}

/** Side by side run only calls that change nothing; the same one twice would hide a repetition. */
export function partsOf(calls: readonly RoundCall[]): RoundPart[] {
  const parts: ({ run: CallToRun[] } | { answered: AnsweredCall[] } | { undecided: UndecidedCall })[] = [];
  for (const call of calls) {
    const last = parts.at(-1);
    if (isAnswered(call)) {
      if (last !== undefined && 'answered' in last) last.answered.push(call);
      else parts.push({ answered: [call] });
    } else if (isToRun(call)) {
      if (last !== undefined && 'run' in last && fitsBeside(last.run, call)) last.run.push(call);
      else parts.push({ run: [call] });
    } else if (isUndecided(call)) {
      parts.push({ undecided: call });
    }
  }
  return parts;
}

/** Not settled here. */
export function isHanded({ plan }: RoundCall): boolean {
  return 'handed' in plan;
}

function isAnswered(call: RoundCall): call is AnsweredCall {
  return 'answer' in call.plan;
}

function isToRun(call: RoundCall): call is CallToRun {
  return 'ready' in call.plan;
}

function isUndecided(call: RoundCall): call is UndecidedCall {
  return 'undecided' in call.plan;
}

function fitsBeside(others: readonly CallToRun[], call: CallToRun): boolean {
  const { ready } = call.plan;
  return [call, ...others].every(
    ({ approval, plan }) =>
      approval === null &&
      plan.ready.tool.readOnly &&
      (plan.ready === ready || plan.ready.digest !== ready.digest),
  );
}
