// An answer on the terminal as it is written: markdown, tools and agents in dim lines, thoughts folded.
import type { ContextReceipt, TurnEvent } from '../../client/index.ts';
import { callLine, cutLine } from '../approval-text.ts';
import { outcomeMark } from '../outcome-mark.ts';
import { LiveText } from '../render/live-text.ts';
import { say, sayDim, terminalWidth } from '../terminal.ts';
import { AgentSteps } from './agent-steps.ts';
import { phaseText, timeText } from './phase-text.ts';
import { leftOutText } from './receipt-text.ts';
import type { StatusLine } from './status-line.ts';

export interface AnswerLook {
  /** Else as the model writes it. */
  readonly isMarkdown: boolean;
  /** Else they are folded. */
  readonly showsThoughts: boolean;
  /** Speed and tokens after it. */
  readonly isVerbose: boolean;
}

type Kind = 'text' | 'thoughts';

/** Of one turn. */
export class ShownAnswer {
  readonly #look: AnswerLook;
  readonly #status: StatusLine;
  readonly #agents = new AgentSteps();
  /** What is being printed; null: the cursor stands at the beginning of a line. */
  #open: { readonly kind: Kind; readonly text: LiveText | null; endsLine: boolean } | null = null;
  /** Of the message that is being written. */
  #content = '';
  #thoughts = '';
  #thoughtsSince = 0;
  #thoughtPieces = 0;
  #writtenSince = 0;
  /** Its end was told. */
  #isOver = false;

  constructor(look: AnswerLook, status: StatusLine) {
    this.#look = look;
    this.#status = status;
  }

  /** What it thought, of its last message that has any. */
  get thoughts(): string {
    return this.#thoughts;
  }

  show(event: TurnEvent): void {
    const steps = this.#agents.hear(event);
    if (steps !== null) return this.#notes(steps.map((step) => `    ${step}`));
    switch (event.event) {
      case 'status':
        return this.#tellPhase(event.data);
      case 'context':
        return this.#tellLeftOut(event.data);
      case 'thinking_delta':
        return this.#think(event.data.content);
      case 'content_delta':
        this.#content += event.data.content;
        return this.#write('text', event.data.content);
      case 'tool_call':
        return this.#notes([
          `· ${callLine(event.data.tool_name, event.data.arguments, terminalWidth() - 2)}`,
        ]);
      case 'tool_progress':
        return this.#tellProgress(event.data);
      case 'tool_result':
        return this.#notes([`  ${resultText(event.data)}`]);
      case 'snapshot':
        return this.#catchUp(event.data.message?.content ?? '');
      case 'message_complete':
        return this.#complete(event.data);
      default:
    }
  }

  /** What follows is no part of the answer. */
  endLine(): void {
    this.#status.clear();
    const open = this.#open;
    this.#open = null;
    if (open?.text) open.text.end();
    else if (open !== null && !open.endsLine) say('\n');
  }

  /** Its reader has stopped it. */
  stopped(): void {
    if (!this.#look.isMarkdown) return this.#write('text', ' (stopped)');
    this.#notes([
      this.#content === '' ? '(stopped)' : '(stopped; what is written is kept, /continue goes on)',
    ]);
    this.#isOver = true;
  }

  end(): void {
    const isEmpty = this.#open === null && this.#content === '' && !this.#isOver;
    this.endLine();
    if (isEmpty) say('\n');
  }

  #tellPhase(status: Extract<TurnEvent, { event: 'status' }>['data']): void {
    if (status.message_id !== undefined) {
      this.#foldThoughts();
      this.#content = '';
      this.#writtenSince = 0;
    }
    const text = phaseText(status);
    if (text === null || this.#open !== null) return;
    this.#status.show(text);
  }

  #tellProgress({ message, progress, total }: Extract<TurnEvent, { event: 'tool_progress' }>['data']): void {
    if (this.#open !== null) return;
    const part = progress === null ? '' : ` ${progress}${total === null ? '' : ` of ${total}`}`;
    this.#status.change((elapsedMs) => `${message ?? 'using a tool'}${part}${timeText(elapsedMs, null)}…`);
  }

  #tellLeftOut(receipt: ContextReceipt): void {
    const text = leftOutText(receipt);
    if (text !== null) this.#notes([text]);
  }

  #think(content: string): void {
    if (this.#thoughtsSince === 0) {
      this.#thoughtsSince = performance.now();
      this.#thoughts = '';
    }
    this.#thoughts += content;
    this.#thoughtPieces += 1;
    if (this.#look.showsThoughts) return this.#write('thoughts', content);
    // A piece is a token, near enough.
    this.#status.change(
      (elapsedMs) => `thinking${timeText(elapsedMs, null)}${rateText(this.#thoughtPieces, elapsedMs)}…`,
    );
    if (this.#thoughtPieces === 1) this.#status.show((elapsedMs) => `thinking${timeText(elapsedMs, null)}…`);
  }

  /** They are over: a line says that there were some. */
  #foldThoughts(): void {
    if (this.#thoughtsSince === 0) return;
    const seconds = Math.round((performance.now() - this.#thoughtsSince) / 1000);
    this.#thoughtsSince = 0;
    this.#thoughtPieces = 0;
    if (this.#look.showsThoughts) return this.endLine();
    this.#notes([`· thought${seconds < 1 ? '' : ` for ${seconds} s`} (/show)`]);
  }

  #write(kind: Kind, text: string): void {
    if (text === '') return;
    if (kind === 'text') this.#foldThoughts();
    if (this.#open?.kind !== kind) {
      this.endLine();
      this.#writtenSince ||= performance.now();
      const isLive = kind === 'text' && this.#look.isMarkdown;
      this.#open = { kind, text: isLive ? new LiveText() : null, endsLine: true };
    }
    const open = this.#open;
    if (open.text !== null) return open.text.write(text);
    if (kind === 'thoughts') sayDim(text);
    else say(text);
    open.endsLine = text.endsWith('\n');
  }

  /** A watcher who comes late is told the whole: what of it stands there is not told again. */
  #catchUp(content: string): void {
    const known = this.#content;
    const rest = content.startsWith(known) ? content.slice(known.length) : content;
    if (rest === content) this.endLine();
    this.#content = content;
    this.#write('text', rest);
  }

  #complete({
    message,
    finish_reason: reason,
  }: Extract<TurnEvent, { event: 'message_complete' }>['data']): void {
    this.#foldThoughts();
    if (reason === 'length') {
      if (this.#open?.text === null) this.#write('text', ' (cut: finish_reason length)');
      else this.#notes(['(cut: finish_reason length; /continue goes on)']);
    }
    if (!this.#look.isVerbose || message.eval_count === null) return;
    const elapsedMs = this.#writtenSince === 0 ? 0 : performance.now() - this.#writtenSince;
    this.#notes([`(${message.eval_count} tokens${rateText(message.eval_count, elapsedMs)})`]);
  }

  #notes(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.endLine();
    sayDim(lines.map((line) => `${line}\n`).join(''));
  }
}

/** Nothing where it is too early to tell. */
function rateText(tokens: number, elapsedMs: number): string {
  return elapsedMs < 1000 ? '' : `, ${Math.round((tokens * 1000) / elapsedMs)} tok/s`;
}

type ToolResult = Extract<TurnEvent, { event: 'tool_result' }>['data'];

function resultText({ success, result, error }: ToolResult): string {
  const [first = ''] = (success ? result : (error ?? '')).split('\n');
  return cutLine(`${outcomeMark(first, success)} ${first}`, terminalWidth() - 2);
}
