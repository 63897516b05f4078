// A result that would fill the window of its model: begin and end are kept, and what is missing is said.

import { cutText, cutTextFront } from '../../kit/whole-characters.ts';
import { windowLimits } from '../../window/choose-window.ts';
import { textTokens } from '../../window/estimate.ts';
import { measureText } from '../../window/text-size.ts';
import { askWindow } from '../prompt/ask-window.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { RunningTurn, TurnProgress } from './turn-progress.ts';

/** Of the largest window that the model may get. */
const WINDOW_PART = 0.25;
/** Of what is kept; the rest is its end. */
const HEAD_PART = 0.7;
/** Less is of no use, in characters. */
const LEAST = 200;

/** @param source names what the result comes from */
export function shortenResult(
  deps: TurnDeps,
  turn: RunningTurn,
  { model, offer }: Pick<TurnProgress, 'model' | 'offer'>,
  { text, source }: { readonly text: string; readonly source: string },
): string {
  const { largest } = windowLimits(askWindow(deps, { ...turn, model, offer }));
  const tokens = textTokens(measureText(text), deps.tokenRatios.current(turn.session.model));
  const fitting = Math.floor((largest * WINDOW_PART * text.length) / Math.max(1, tokens));
  const limit = Math.max(LEAST, Math.min(deps.toolLimits.resultCharacters, fitting));
  return text.length <= limit ? text : shorten(text, limit, source);
}

/** Of a result, in characters, before it is known. */
export function resultLimit(
  deps: TurnDeps,
  turn: RunningTurn,
  { model, offer }: Pick<TurnProgress, 'model' | 'offer'>,
): number {
  const { largest } = windowLimits(askWindow(deps, { ...turn, model, offer }));
  const { plain } = deps.tokenRatios.current(turn.session.model);
  const fitting = Math.floor(largest * WINDOW_PART * plain);
  return Math.max(LEAST, Math.min(deps.toolLimits.resultCharacters, fitting));
}

function shorten(text: string, limit: number, source: string): string {
  const note = (left: number) => `\n[… ${left} characters are left out here (${source}) …]\n`;
  const room = Math.max(0, limit - note(text.length).length);
  const head = cutText(text, Math.floor(room * HEAD_PART));
  const tail = cutTextFront(text, Math.max(1, room - head.length));
  return `${head}${note(text.length - head.length - tail.length)}${tail}`;
}
