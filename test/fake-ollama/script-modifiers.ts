// Changes to a script: pace, splitting of the bytes, and every way in which a stream goes wrong.
import type { ChatScript, FinalFields, ScriptStep, SplitMode } from './chat-script.ts';
import { goJson } from './go-json.ts';
import { jsonAnswer } from './http-answer.ts';

/** A change to a script; see `script`. */
export type ScriptModifier = (script: ChatScript) => ChatScript;

/** Applies modifiers from left to right: `script(text('a', 'b'), everyMs(10), cutAfter(1))`. */
export function script(base: ChatScript, ...modifiers: readonly ScriptModifier[]): ChatScript {
  return modifiers.reduce((changed, modify) => modify(changed), base);
}

/** Waits this long between two chunks. */
export function everyMs(ms: number): ScriptModifier {
  return (base) => ({ ...base, everyMs: ms });
}

/** Waits this long before the first byte, headers included. */
export function firstTokenMs(ms: number): ScriptModifier {
  return (base) => ({ ...base, firstTokenMs: ms });
}

/** Sends so many bytes per write, so that reads end inside lines and inside UTF-8 characters. */
export function split(mode: SplitMode): ScriptModifier {
  return (base) => ({ ...base, split: mode });
}

/** The last line ends without "\n". */
export function noFinalNewline(): ScriptModifier {
  return (base) => ({ ...base, finalNewline: false });
}

/** A blank line between every two lines. */
export function blankLines(): ScriptModifier {
  const blank: ScriptStep = { type: 'line', text: '' };
  return changeSteps((steps) => steps.flatMap((step, position) => (position > 0 ? [blank, step] : [step])));
}

/** Puts a line that is sent as it is after `count` chunks, and goes on afterwards: garbage, or a strange object. */
export function lineAfter(count: number, line: string): ScriptModifier {
  return insertAfter(count, { type: 'line', text: line });
}

/** Sends nothing for a while after `count` chunks; with tools, such silences are normal. */
export function pauseAfter(count: number, ms: number): ScriptModifier {
  return insertAfter(count, { type: 'pause', ms });
}

/** Sends nothing after `count` chunks until the gate opens; 0: not even headers. */
export function gateAfter(count: number, opens: Promise<unknown>): ScriptModifier {
  return insertAfter(count, { type: 'gate', opens });
}

/**
 * An error line after `count` chunks, then EOF. After 0 chunks it is a real status 500, as Ollama can still send
 * one. `key` is for v0.11.3's `{"error parsing tool call": …}`.
 */
export function errorAfter(count: number, error: unknown, key = 'error'): ScriptModifier {
  if (count === 0) return (base) => ({ ...base, steps: [], answer: jsonAnswer(500, { [key]: error }) });
  return endAfter(count, { type: 'line', text: goJson({ [key]: error }) });
}

/** A clean EOF after `count` chunks, without `done`. */
export function cutAfter(count: number): ScriptModifier {
  return endAfter(count);
}

/** The socket closes after `count` chunks, in the middle of the chunked body; 0: before any byte. */
export function destroyAfter(count: number): ScriptModifier {
  return endAfter(count, { type: 'destroy' });
}

/** Silence without end after `count` chunks; 0: not even headers. */
export function hangAfter(count: number): ScriptModifier {
  return endAfter(count, { type: 'hang' });
}

/** Sets or (null) removes fields of the done chunk. */
export function finalFields(fields: FinalFields): ScriptModifier {
  return changeSteps((steps) =>
    steps.map((step) => (step.type === 'final' ? { ...step, fields: { ...step.fields, ...fields } } : step)),
  );
}

/** No counts on the done chunk. */
export function noCounts(): ScriptModifier {
  return finalFields({ prompt_eval_count: null, eval_count: null });
}

/** Chunks with an empty `content` have none at all, as the answers of proxies and of look-alikes. */
export function noEmptyContent(): ScriptModifier {
  return changeSteps((steps) => steps.map(dropEmptyContent));
}

function dropEmptyContent(step: ScriptStep): ScriptStep {
  if ((step.type !== 'chunk' && step.type !== 'final') || step.message.content !== '') return step;
  const { content: _, ...message } = step.message;
  return { ...step, message };
}

function changeSteps(change: (steps: readonly ScriptStep[]) => ScriptStep[]): ScriptModifier {
  return (base) => ({ ...base, steps: change(base.steps) });
}

function insertAfter(count: number, step: ScriptStep): ScriptModifier {
  return changeSteps((steps) => steps.toSpliced(positionAfter(steps, count), 0, step));
}

function endAfter(count: number, ...ending: readonly ScriptStep[]): ScriptModifier {
  return changeSteps((steps) => [...steps.slice(0, positionAfter(steps, count)), ...ending]);
}

/** Only chunks are counted, so that modifiers can be combined in any order. */
function positionAfter(steps: readonly ScriptStep[], count: number): number {
  let seen = 0;
  for (const [position, step] of steps.entries()) {
    if (seen === count) return position;
    if (step.type === 'chunk' || step.type === 'final') seen += 1;
  }
  if (seen < count) throw new Error(`the script has ${seen} chunks, not ${count}`);
  return steps.length;
}
