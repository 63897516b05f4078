// Tokens → what a client sees: whole characters, thinking told apart, nothing of a stop string.
import type { EngineChunk } from '../../contract/engine.ts';
import type { LoadedModel, Token } from './binding.ts';

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

const OPENING = '<think>';
const CLOSING = '</think>';

/** @param startsThinking the prompt has opened the thinking already */
export function createAnswerText(stop: readonly string[], startsThinking: boolean): AnswerText {
  let state: 'start' | 'thinking' | 'content' = startsThinking ? 'thinking' : 'start';
  let held = '';
  /** Blank lines between the marks of thinking and the text belong to neither. */
  let isBetween = false;
  let hasStopped = false;

  function thinking(isEnd: boolean): EngineChunk[] {
    const closing = held.indexOf(CLOSING);
    if (closing === -1) {
      const kept = isEnd ? 0 : overlap(held, [CLOSING]);
      return [...take('thinking', held.length - kept)];
    }
    const chunks = take('thinking', closing);
    held = held.slice(CLOSING.length);
    isBetween = true;
    state = 'content';
    return [...chunks, ...advance(isEnd)];
  }

  function content(isEnd: boolean): EngineChunk[] {
    const places = stop.map((text) => held.indexOf(text)).filter((place) => place !== -1);
    if (places.length > 0) {
      hasStopped = true;
      const chunks = take('content', Math.min(...places));
      held = '';
      return chunks;
    }
    return take('content', held.length - (isEnd ? 0 : overlap(held, stop)));
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
      if (begun.startsWith(OPENING)) {
        held = begun.slice(OPENING.length);
        isBetween = true;
        state = 'thinking';
      } else if (!isEnd && OPENING.startsWith(begun)) {
        return [];
      } else {
        state = 'content';
      }
    }
    if (isBetween) held = held.trimStart();
    if (held === '') return [];
    isBetween = false;
    return state === 'thinking' ? thinking(isEnd) : content(isEnd);
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
