// A person at the terminal is asked about one approval, until it is decided.
import { type Approval, type DecideInput, isMochiError, type Mochi } from '../client/index.ts';
import { showLine } from '../kit/show-controls.ts';
import { describedText, subjectOf } from './approval-text.ts';
import type { TypedLines } from './chat/typed-lines.ts';
import { say } from './terminal.ts';

interface Asking {
  readonly mochi: Mochi;
  readonly typed: Pick<TypedLines, 'next'>;
  /** Aborted when there is nothing to decide any more. */
  readonly signal: AbortSignal;
}

/** @returns whether it is settled; false: nobody types any more, or the signal came first */
export async function askApproval(asking: Asking, approval: Approval): Promise<boolean> {
  const { mochi, typed, signal } = asking;
  say(`\n${describedText(approval)}`);
  for (;;) {
    const line = await typed.next(promptOf(approval), { signal });
    if (line === null) return false;
    const decision = await readAnswer(asking, approval, line.trim());
    if (decision === null) continue;
    try {
      const digest = approval.digest === null ? {} : { digest: approval.digest };
      await mochi.approvals.decide(approval.confirmation_id, { ...decision, ...digest });
      return true;
    } catch (error) {
      if (!isMochiError(error)) throw error;
      say(`${error.message}\n`);
      if (SETTLED.has(error.code)) return true;
    }
  }
}

/** Somebody else was faster, or time was. */
const SETTLED: ReadonlySet<string> = new Set([
  'approval_decided',
  'approval_expired',
  'confirmation_not_found',
]);

function promptOf({ kind }: Approval): string {
  switch (kind) {
    case 'outcome':
      return 'Run it again? (y, n, ?) ';
    case 'question':
      return 'Answer it? (y, n, ?) ';
    case 'plan':
      return 'Go by it? (y, n, ?) ';
    default:
      return 'Run it? (y, n, ?) ';
  }
}

/** @returns null where there is nothing to send yet: what was typed is not understood, or help was wanted */
async function readAnswer(asking: Asking, approval: Approval, line: string): Promise<DecideInput | null> {
  const [, word = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(line) ?? [];
  const answer = WORDS[word.toLowerCase()] ?? '';
  const can = (decision: DecideInput['decision']) => approval.allowed_decisions.includes(decision);
  const scope = answer === 's' ? 'session' : answer === 'a' ? 'always' : 'once';
  if (answer === 'y' && rest === '') {
    if (approval.question !== null) return answerQuestion(asking, approval.question);
    return { decision: can('retry') ? 'retry' : 'approve' };
  }
  if (answer === 'n') return { decision: 'deny', ...(rest !== '' && { reason: rest.slice(0, 2000) }) };
  if (scope !== 'once' && approval.allowed_scopes.includes(scope) && ['', 'same'].includes(rest)) {
    return { decision: 'approve', scope, match: rest === 'same' ? 'arguments' : 'tool' };
  }
  if (answer === 'e' && can('edit')) return edit(asking, approval);
  if (answer === 'r' && can('respond') && approval.question === null) {
    if (rest !== '') return { decision: 'respond', content: rest };
  }
  say(helpOf(approval));
  return null;
}

const WORDS: Readonly<Record<string, string>> = {
  y: 'y',
  yes: 'y',
  n: 'n',
  no: 'n',
  s: 's',
  a: 'a',
  e: 'e',
  edit: 'e',
  r: 'r',
};

function helpOf(approval: Approval): string {
  const { kind, allowed_decisions: decisions, allowed_scopes: scopes } = approval;
  const name = showLine(subjectOf(approval));
  const lines = [
    ['y', kind === 'question' ? 'yes: each part of the answer is asked for' : 'yes, this once'],
    scopes.includes('session') && ['s', `yes, and ${name} need not ask again in this session`],
    scopes.includes('always') && ['a', `yes, and ${name} need not ask again in any session`],
    scopes.includes('session') && ['s same, a same', 'the same, but only for exactly these arguments'],
    ['n', 'no'],
    ['n REASON', 'no, and the model is told why'],
    decisions.includes('edit') && [
      'e',
      kind === 'plan' ? 'yes, with another plan' : 'yes, with other arguments',
    ],
    kind === 'tool' && ['r TEXT', 'do not run it: TEXT is its result'],
    kind === 'outcome' && ['r TEXT', 'it was done: TEXT is its result'],
  ];
  return lines
    .filter((line) => line !== false)
    .map(([keys = '', text = '']) => `  ${keys.padEnd(14)}  ${text}\n`)
    .join('');
}

/** @returns null: never mind, ask again */
async function edit(
  { typed, signal }: Asking,
  { kind, arguments: args }: Approval,
): Promise<DecideInput | null> {
  if (kind === 'plan') {
    const content = await typed.next('The plan: ', { signal });
    return content === null || content.trim() === '' ? null : { decision: 'edit', content };
  }
  const draft = plainJson(args ?? {});
  say('All of them, as one JSON object; an empty line leaves them as they are.\n');
  const text = (await typed.next('Arguments: ', { signal, draft }))?.trim() ?? '';
  if (text === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { decision: 'edit', arguments: { ...value } };
    }
  } catch {
    // Said below.
  }
  say('That is no JSON object.\n');
  return null;
}

/** Nothing in it moves a cursor or turns a line round: readline writes it as it is. */
function plainJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\p{Cc}\p{Cf}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Field by field: the server reads numbers and yes or no from text. */
async function answerQuestion(
  { typed, signal }: Asking,
  { schema }: NonNullable<Approval['question']>,
): Promise<DecideInput | null> {
  const { properties, required } = Object(schema) as { properties?: object; required?: unknown };
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const content: Record<string, string> = {};
  for (const [name, field] of Object.entries(properties ?? {})) {
    const text = await typed.next(`  ${fieldText(name, field, isRequired(name))}: `, { signal });
    if (text === null) return null;
    if (text.trim() !== '') content[name] = text.trim();
  }
  return { decision: 'respond', content };
}

function fieldText(name: string, field: unknown, isRequired: boolean): string {
  const { title, description, type, enum: values } = Object(field);
  const kind = Array.isArray(values) ? values.join(' or ') : type === 'boolean' ? 'yes or no' : type;
  const facts = [kind, !isRequired && 'may be left out'].filter((fact) => typeof fact === 'string');
  return showLine(`${title ?? name}${description ? `, ${description}` : ''} (${facts.join(', ')})`);
}
