// What a parent's model reads of a run: everything since the instruction, in order, within a limit. The whole is in the
// agent chat.
import { cutText, cutTextFront } from '../kit/whole-characters.ts';

/** One thing that happened in a run, in the order in which it did. */
export type RunStep =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }
  | { readonly kind: 'result'; readonly text: string };

/** Why a run ended. */
export type RunEnd =
  | { readonly reason: 'completed' | 'cancelled' }
  /** Cancelled, since its chat is taken away. */
  | { readonly reason: 'deleted' }
  /** `count` is the limit that stopped it: rounds, seconds or tokens. */
  | { readonly reason: 'max_iterations' | 'timeout' | 'token_limit'; readonly count: number }
  /** `message` is a sentence: that a person denied it, and why, or that nobody spoke in time. */
  | { readonly reason: 'plan_denied'; readonly message: string }
  /** `message` says what went wrong. */
  | { readonly reason: 'failed' | 'interrupted'; readonly message: string };

export interface RunReport {
  /** Of the agent chat. */
  readonly chatId: string;
  readonly agentName: string;
  readonly steps: readonly RunStep[];
  readonly end: RunEnd;
}

export interface RunResult {
  readonly success: boolean;
  /** Without `Error: ` before it. */
  readonly text: string;
}

/** What stands around the steps. */
interface RunFrame {
  readonly success: boolean;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Of a result, of arguments, and of an old text, when all does not fit. */
const SHORT = 500;
/** Of what is kept of one, its beginning. */
const HEAD_PART = 0.7;
/** `Error: `, which is put before what has failed. */
const PREFIX_LENGTH = 7;
const UNITS = { max_iterations: 'rounds', timeout: 'seconds', token_limit: 'tokens' } as const;

/** @param limit in characters, for all of it; a few hundred at least */
export function runResult(report: RunReport, limit: number): RunResult {
  const { chatId, steps } = report;
  const { success, before, after } = frameOf(report, Math.floor(limit / 4));
  const first = `Session ID: ${chatId}`;
  const room = limit - (success ? 0 : PREFIX_LENGTH) - lengthOf([...before, first, ...after]) - 1;
  const middle = fitSteps(steps, { room, lastRoom: Math.min(room, Math.floor(limit / 2)) });
  const text = [...before, first, ...middle, ...after].join('\n');
  return { success, text: cutText(text, limit - (success ? 0 : PREFIX_LENGTH)) };
}

/** @param faultRoom for the reason of a failure */
function frameOf({ agentName, chatId, end }: RunReport, faultRoom: number): RunFrame {
  const failed = (what: string) => ({
    success: false,
    before: [what],
    after: [`Continue with session_id ${chatId}.`],
  });
  const { reason } = end;
  switch (reason) {
    case 'completed':
      return { success: true, before: [], after: [] };
    case 'max_iterations':
    case 'timeout':
    case 'token_limit': {
      const limit = `${end.count} ${UNITS[end.reason]}`;
      const after = [`Warning: the agent stopped at its limit of ${limit}`];
      return { success: true, before: [], after };
    }
    case 'plan_denied':
      return failed(cutText(end.message, faultRoom));
    case 'cancelled':
      return failed(`The agent ${agentName} was cancelled.`);
    case 'deleted':
      return {
        success: false,
        before: [`The agent ${agentName} was cancelled: its chat was deleted.`],
        after: ['This session_id is gone. Call the agent without one to begin anew.'],
      };
    case 'interrupted':
      return failed(`The agent ${agentName} was interrupted: ${cutText(end.message, faultRoom)}`);
    case 'failed':
      return failed(`The agent ${agentName} failed: ${cutText(end.message, faultRoom)}`);
    default:
      return reason satisfies never;
  }
}

/** A step as lines; what of it may be shortened stands by itself. */
interface Line {
  readonly kind: RunStep['kind'];
  readonly label: string;
  readonly text: string;
}

interface Room {
  /** Characters for all steps. */
  readonly room: number;
  /** For the last text, which stays whole within it. */
  readonly lastRoom: number;
}

function fitSteps(steps: readonly RunStep[], { room, lastRoom }: Room): string[] {
  const lines = steps.map(toLine).filter(({ kind, text }) => kind !== 'text' || text.trim() !== '');
  const last = lines.findLastIndex(({ kind }) => kind === 'text');
  const size = () => lengthOf(lines.map(shown));
  const shorten = (index: number, length: number) => {
    const line = lines[index];
    if (line !== undefined) lines[index] = { ...line, text: withoutMiddle(line.text, length) };
  };
  if (last >= 0 && size() > room) shorten(last, lastRoom);
  for (const kind of ['result', 'call', 'text'] as const) {
    for (let index = 0; index < lines.length && size() > room; index += 1) {
      if (lines[index]?.kind === kind && index !== last) shorten(index, SHORT);
    }
  }
  return size() <= room ? lines.map(shown) : withoutOldest(lines, last, room);
}

function toLine(step: RunStep): Line {
  if (step.kind === 'text') return { kind: 'text', label: '', text: step.text };
  if (step.kind === 'result') return { kind: 'result', label: 'Result: ', text: step.text };
  return { kind: 'call', label: `Tool call: ${step.name} `, text: JSON.stringify(step.arguments) };
}

function shown({ label, text }: Line): string {
  return `${label}${text}`;
}

/** Still too many: the last text stays, and of the others the newest; how many have gone is said. */
function withoutOldest(lines: readonly Line[], last: number, room: number): string[] {
  let left = room - leftOut(lines.length).length - 1;
  const kept = new Set<number>();
  const keep = (index: number, line: Line) => {
    const cost = shown(line).length + 1;
    if (cost > left) return false;
    left -= cost;
    kept.add(index);
    return true;
  };
  const lastText = lines[last];
  if (lastText !== undefined) keep(last, lastText);
  for (const [index, line] of [...lines.entries()].toReversed()) {
    if (!kept.has(index) && !keep(index, line)) break;
  }
  const rest = lines.filter((_, index) => kept.has(index)).map(shown);
  return [leftOut(lines.length - kept.size), ...rest];
}

function leftOut(count: number): string {
  return `[… steps that are left out here: ${count} …]`;
}

/** Nothing where it is short enough. */
function withoutMiddle(text: string, length: number): string {
  if (text.length <= length) return text;
  const note = (left: number) => `[… ${left} characters are left out here …]`;
  const kept = Math.max(0, length - note(text.length).length);
  const head = cutText(text, Math.floor(kept * HEAD_PART));
  const tail = kept === 0 ? '' : cutTextFront(text, kept - head.length);
  return cutText(`${head}${note(text.length - head.length - tail.length)}${tail}`, length);
}

/** Of lines with their ends between. */
function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, -1);
}
