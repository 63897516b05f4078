// Tokens → what a client sees: whole characters, thinking told apart, nothing of a stop string.
import type { EngineChunk } from '../../contract/engine.ts';
import type { LoadedModel, Token } from './binding.ts';
import { readToolCall } from './tool-call-text.ts';

/** How many tokens a character can be spread over. */
const LONGEST_CHARACTER = 8;
/** How much of what was written the model's decoder looks at for the blank before a word. */
const LOOKBACK = 4;

/** Holds tokens back until they make whole characters. */
export function createDecoder(model: LoadedModel): (token: Token) => string {
  let pending: Token[] = [];
  let before: Token[] = [];
  return (token) => {
    pending.push(token);
    const text = model.detokenize(pending, false, before);
    if (text.endsWith('\ufffd') && pending.length < LONGEST_CHARACTER) return '';
    before = [...before, ...pending].slice(-LOOKBACK);
    pending = [];
    return text;
  };
}

export interface AnswerText {
  /** @returns what can be shown now */
  push(text: string): readonly EngineChunk[];
  /** What was held back, once nothing more comes. */
  end(): readonly EngineChunk[];
  /** A stop string was met: nothing after it is shown. */
  readonly hasStopped: boolean;
}

export interface AnswerRules {
  readonly stop: readonly string[];
  /** The prompt has opened the thinking already. */
  readonly startsThinking: boolean;
  /** Tools were offered: what is written as a call is one. */
  readonly callsTools: boolean;
}

const THINK = { opening: '<think>', closing: '</think>' };
const CALL = { opening: '<tool_call>', closing: '</tool_call>' };

export function createAnswerText({ stop, startsThinking, callsTools }: AnswerRules): AnswerText {
  let state: 'start' | 'thinking' | 'content' | 'call' = startsThinking ? 'thinking' : 'start';
  let held = '';
  /** Blank lines between marks and text belong to neither. */
  let isBetween = false;
  let hasStopped = false;
  /** The mark of the call that is being written, with the blanks before it. */
  let opened = '';

  function go(to: typeof state, dropped: number, trims = true): void {
    held = held.slice(dropped);
    isBetween = trims;
    state = to;
  }

  function thinking(isEnd: boolean): EngineChunk[] {
    const closing = held.indexOf(THINK.closing);
    if (closing === -1) return take('thinking', held.length - (isEnd ? 0 : overlap(held, [THINK.closing])));
    const chunks = take('thinking', closing);
    go('content', THINK.closing.length);
    return [...chunks, ...advance(isEnd)];
  }

  function content(isEnd: boolean): EngineChunk[] {
    const end = firstPlace(held, stop);
    const call = callsTools ? firstPlace(held, [CALL.opening]) : null;
    if (call !== null && (end === null || call < end)) {
      const chunks = take('content', held.slice(0, call).trimEnd().length);
      opened = held.slice(0, held.indexOf(CALL.opening) + CALL.opening.length);
      go('call', opened.length, false);
      return [...chunks, ...advance(isEnd)];
    }
    if (end !== null) {
      hasStopped = true;
      const chunks = take('content', end);
      held = '';
      return chunks;
    }
    if (isEnd) return take('content', held.length);
    const shown = held.slice(0, held.length - overlap(held, callsTools ? [...stop, CALL.opening] : stop));
    // Blanks may stand before a call, and then belong to nothing.
    return take('content', (callsTools ? shown.trimEnd() : shown).length);
  }

  function call(isEnd: boolean): EngineChunk[] {
    const closing = held.indexOf(CALL.closing);
    if (closing === -1 && !isEnd) return [];
    const written = closing === -1 ? held : held.slice(0, closing);
    const made = readToolCall(written);
    const chunk: EngineChunk =
      made === null
        ? // Nothing of what the model said is lost.
          { type: 'content', text: `${opened}${written}${closing === -1 ? '' : CALL.closing}` }
        : { type: 'tool_call', call: made };
    go('content', closing === -1 ? held.length : closing + CALL.closing.length, made !== null);
    return [chunk, ...advance(isEnd)];
  }

  function take(type: 'thinking' | 'content', length: number): EngineChunk[] {
    const text = held.slice(0, length);
    held = held.slice(length);
    return text === '' ? [] : [{ type, text }];
  }

  function advance(isEnd: boolean): readonly EngineChunk[] {
    if (hasStopped) return [];
    if (state === 'start') {
      const begun = held.trimStart();
      if (begun.startsWith(THINK.opening)) go('thinking', held.length - begun.length + THINK.opening.length);
      else if (!isEnd && THINK.opening.startsWith(begun)) return [];
      else state = 'content';
    }
    if (isBetween) held = held.trimStart();
    if (held === '') return [];
    isBetween = false;
    if (state === 'thinking') return thinking(isEnd);
    return state === 'call' ? call(isEnd) : content(isEnd);
  }

  return {
    push(text) {
      held += text;
      return advance(false);
    },
    end: () => advance(true),
    get hasStopped() {
      return hasStopped;
    },
  };
}

/** Where the first of these begins; null: none is there. */
function firstPlace(text: string, candidates: readonly string[]): number | null {
  const places = candidates.map((candidate) => text.indexOf(candidate)).filter((place) => place !== -1);
  return places.length === 0 ? null : Math.min(...places);
}

/** How many characters at the end could be the beginning of one of these. */
function overlap(text: string, candidates: readonly string[]): number {
  let most = 0;
  for (const candidate of candidates) {
    for (let length = Math.min(candidate.length - 1, text.length); length > most; length -= 1) {
      if (candidate.startsWith(text.slice(-length))) {
        most = length;
        break;
      }
    }
  }
  return most;
}
