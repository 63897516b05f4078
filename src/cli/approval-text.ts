// Approvals in words, for a terminal of any width.
import type { Approval } from '../client/index.ts';
import { showLine } from '../kit/show-controls.ts';
import { cutText } from '../kit/whole-characters.ts';

/** What it is about, in a few words: `delete_file`, or `delete_file (agent researcher)`. */
export function subjectOf({ tool_name: tool, agent_name: agent }: Approval): string {
  const name = tool ?? 'something';
  return agent === null ? name : `${name} (agent ${agent})`;
}

/** What is asked, in a sentence. */
function askedText(approval: Approval): string {
  const subject = subjectOf(approval);
  switch (approval.kind) {
    case 'tool':
      return `${subject} wants to run.`;
    case 'outcome':
      return `${subject} was running when the server stopped: nobody knows whether it took effect.`;
    case 'question':
      return `${approval.question?.server ?? 'A server'} asks, for ${subject}.`;
    case 'plan':
      return `${subject} wants to go by a plan.`;
    default:
      return approval.kind satisfies never;
  }
}

/** One line of at most `width` characters. */
export function cutLine(text: string, width: number): string {
  const line = showLine(text);
  return line.length <= width ? line : `${cutText(line, Math.max(width - 1, 1))}…`;
}

/** `delete_file {"path":"draft.txt"}` */
export function callLine(name: string, args: unknown, width: number): string {
  const shown = JSON.stringify(args ?? {});
  return cutLine(shown === '{}' ? name : `${name} ${shown}`, width);
}

/** A few lines of the list: which one, since when and where; and what. */
export function listedText(approval: Approval, { now, width }: { now: number; width: number }): string {
  const { confirmation_id: id, kind, question, state, decision, expires_at } = approval;
  const left = expires_at === null || state !== 'pending' ? null : Date.parse(expires_at) - now;
  const facts = [
    agoText(now - Date.parse(approval.created_at)),
    state !== 'pending' &&
      [state, decision?.decided_by && `by ${decision.decided_by}`].filter(Boolean).join(' '),
    left !== null && `${durationText(left)} left`,
    `session ${approval.session_id}`,
  ].filter((fact) => fact !== false);
  const first = `${id}  ${facts.join(', ')}`;
  const lines = [
    ...(first.length <= width ? [first] : [id, `  ${facts.join(', ')}`]),
    kind === 'question'
      ? `  ${question?.server ?? ''} asks: ${question?.message ?? ''}`
      : `  ${callLine(subjectOf(approval), approval.arguments, width)}`,
    ...(kind === 'outcome' && state === 'pending' ? ['  It may have run already: run it again?'] : []),
  ];
  return lines.map((line) => `${cutLine(line, width)}\n`).join('');
}

/** Everything that a person needs to know to decide. */
export function describedText(approval: Approval): string {
  const { kind, arguments: args, question, plan, previous, rule, expires_at } = approval;
  const lines = [
    showLine(askedText(approval)),
    ...(question === null ? [] : marked(question.message)),
    ...(plan === null ? [] : marked(plan)),
    ...(plan === null
      ? Object.entries(args ?? {}).flatMap(([name, value]) => argumentLines(name, value))
      : []),
    ...(previous === null
      ? []
      : [`  Attempt ${previous.attempt} began at ${instantText(previous.started_at)}.`]),
    ...(kind === 'tool' && rule !== null ? [`  Asked because ${becauseText(rule)}.`] : []),
    ...(expires_at === null ? [] : [`  To be decided by ${instantText(expires_at)}.`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Texts of several lines stand as they are, behind a mark. */
function argumentLines(name: string, value: unknown): string[] {
  const isLong = typeof value === 'string' && value.includes('\n');
  return isLong
    ? [`  ${showLine(name)}:`, ...marked(value)]
    : [`  ${showLine(name)}: ${JSON.stringify(value)}`];
}

function marked(text: string): string[] {
  return text.split('\n').map((line) => `    | ${line}`);
}

/** To the second. */
function instantText(timestamp: string): string {
  return `${timestamp.slice(0, 19).replace('T', ' ')} UTC`;
}

function becauseText(rule: string): string {
  return RULES[rule] ?? `of a rule of the operator (${showLine(rule)})`;
}

const RULES: Readonly<Record<string, string>> = {
  execution_policy: 'the session asks about every tool (execution_policy)',
  tool_policies: 'the session asks about this tool (tool_policies)',
  needs_approval: 'the tool wants to be asked about',
  unknown_outcome: 'the same call ran before, and nobody knows how that ended',
  default: 'nothing says that it may run unasked',
};

/** `2 minutes ago` */
export function agoText(milliseconds: number): string {
  return milliseconds < 1000 ? 'just now' : `${durationText(milliseconds)} ago`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

function durationText(milliseconds: number): string {
  const [name, length] = UNITS.find(([, unit]) => milliseconds >= unit) ?? ['second', 1000];
  const count = Math.max(Math.floor(milliseconds / length), 0);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
