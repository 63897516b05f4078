// `mochi-server approvals`: what waits for a person in the running server, and the answers.
import {
  type Approval,
  type DecideInput,
  type DecideManyInput,
  isMochiError,
  type Mochi,
} from '../client/index.ts';
import type { Config } from '../config.ts';
import { ownCommand } from '../kit/own-command.ts';
import { callLine, describedText, listedText, subjectOf } from './approval-text.ts';
import { complain, EXIT_FAILURE, EXIT_USAGE } from './command.ts';
import { ASKED_ONCE, connectServer, serveCommand } from './server-client.ts';
import { say, terminalWidth } from './terminal.ts';

export interface ListFlags {
  /** Settled ones, too: the newest first. */
  readonly all: boolean;
  /** Goes on with what is asked and decided from now on. */
  readonly follows: boolean;
}

export async function listApprovals(config: Config, { all, follows }: ListFlags): Promise<void> {
  await withServer(config, async (mochi) => {
    if (follows) return follow(mochi);
    const found = await readList(mochi, all);
    for (const approval of found.approvals) sayListed(approval);
    if (found.approvals.length === 0)
      say(all ? 'Nothing was asked yet.\n' : 'Nothing waits for an approval.\n');
    else if (found.isMore) say(`These are the ${all ? 'newest' : 'oldest'}; there are more.\n`);
    if (!all && found.approvals.length > 0) {
      say(`\n${ownCommand('approvals show ID')} tells all about one; approve ID and deny ID decide it.\n`);
    }
  });
}

async function readList(mochi: Mochi, all: boolean) {
  const { approvals, next_cursor: next } = await mochi.approvals.list({ status: all ? 'all' : 'pending' });
  return { approvals, isMore: next !== null };
}

function sayListed(approval: Approval): void {
  say(listedText(approval, { now: Date.now(), width: terminalWidth() }));
}

/** Until somebody ends the command. */
async function follow(mochi: Mochi): Promise<void> {
  for await (const approval of mochi.approvals.watch()) sayListed(approval);
}

export async function showApproval(config: Config, id: string): Promise<void> {
  await withServer(config, async (mochi) => {
    const approval = await mochi.approvals.get(id);
    const { decision, question, allowed_decisions: allowed } = approval;
    const schema = question?.schema ?? (allowed.includes('edit') ? approval.input_schema : null);
    sayListed(approval);
    say(`\n${describedText(approval)}`);
    if (schema !== null) {
      say(`  ${question === null ? 'Arguments' : 'The answer'} must fit ${JSON.stringify(schema)}\n`);
    }
    if (decision?.arguments != null) say(`  Run with: ${JSON.stringify(decision.arguments)}\n`);
    if (decision?.reason != null) say(`  Because: ${decision.reason}\n`);
  });
}

/** What the command line says of a decision, the same for all that it names. */
export type Verdict = Omit<DecideInput, 'decision' | 'digest' | 'content'> & {
  readonly decision: 'approve' | 'respond' | 'deny';
  readonly content?: string;
};

/** Decides all that are named, or none. */
export async function decideApprovals(
  config: Config,
  ids: readonly string[],
  verdict: Verdict,
): Promise<void> {
  await withServer(config, async (mochi) => {
    const asked = [];
    for (const id of ids) asked.push(await mochi.approvals.get(id));
    const decisions = asked.map((approval) => toDecision(approval, verdict));
    const { approvals } = await mochi.approvals.decideMany({ decisions });
    for (const approval of approvals) {
      const { confirmation_id: id, state, arguments: args, decision } = approval;
      const what = callLine(subjectOf(approval), decision?.arguments ?? args, terminalWidth());
      say(`${id} ${state}: ${what}\n`);
    }
  });
}

function toDecision(
  { confirmation_id, kind, digest }: Approval,
  { decision, ...verdict }: Verdict,
): DecideManyInput['decisions'][number] {
  const isApproved = decision === 'approve';
  const isEdit = verdict.arguments !== undefined || verdict.content !== undefined;
  const own = isApproved && kind === 'outcome' ? 'retry' : isApproved && isEdit ? 'edit' : decision;
  return {
    confirmation_id,
    ...verdict,
    decision: own,
    ...(digest !== null && { digest }),
    ...(kind === 'question' && own === 'respond' && { content: jsonOrText(verdict.content ?? '') }),
  };
}

/** The server says what is wrong with it. */
function jsonOrText(content: string): NonNullable<DecideInput['content']> {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

/** Errors of the server in its own words; what can be mended on the command line ends with 2. */
async function withServer(config: Config, run: (mochi: Mochi) => Promise<void>): Promise<void> {
  const mochi = connectServer(config, undefined, ASKED_ONCE);
  try {
    await run(mochi);
  } catch (error) {
    if (!isMochiError(error)) throw error;
    if (error.code === 'unreachable') {
      const text = `No server answers at ${mochi.baseUrl}. Start it: ${serveCommand(config)}`;
      throw complain([text], EXIT_FAILURE);
    }
    throw complain([error.message], MENDABLE.has(error.code) ? EXIT_USAGE : EXIT_FAILURE);
  }
}

const MENDABLE: ReadonlySet<string> = new Set([
  'confirmation_not_found',
  'decision_not_allowed',
  'validation_error',
]);
