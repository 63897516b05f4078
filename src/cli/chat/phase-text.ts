// What a turn is at, in words.
import type { StatusEvent } from '../../client/index.ts';
import type { StatusText } from './status-line.ts';

type Status = StatusEvent['data'];

/** @returns null where something else says it: an answer that comes, a question that stands there */
export function phaseText(status: Status): StatusText | null {
  const words = wordsOf(status);
  return words === null ? null : (elapsedMs) => `${words}${timeText(elapsedMs, status.estimate_ms ?? null)}…`;
}

function wordsOf({ phase, position = 0, model, waiting_for: waitsFor }: Status): string | null {
  switch (phase) {
    case 'queued': {
      const place = position === 0 ? 'next in line' : `${ordinal(position + 1)} in line`;
      const why = waitsFor === 'approval' ? ', behind a turn that waits for an approval' : '';
      return `${place}${model === undefined ? '' : ` for ${model}`}${why}`;
    }
    case 'waiting_for_engine':
      return 'the engine answers somebody else first';
    case 'engine_stalled':
      return 'the engine does not answer';
    case 'loading_model':
      return 'loading the model';
    case 'evaluating_prompt':
      return 'reading the conversation';
    case 'generating':
      return 'writing';
    case 'running_tool':
      return 'using a tool';
    case 'waiting_for_approval':
      return null;
    default:
      phase satisfies never;
      return 'working';
  }
}

const SUFFIXES: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };
const rules = new Intl.PluralRules('en', { type: 'ordinal' });

function ordinal(count: number): string {
  return `${count}${SUFFIXES[rules.select(count)] ?? 'th'}`;
}

/** `, 4 s of about 12 s`; nothing for the first second. */
export function timeText(elapsedMs: number, estimateMs: number | null): string {
  const elapsed = Math.floor(elapsedMs / 1000);
  if (estimateMs === null) return elapsed < 1 ? '' : `, ${elapsed} s`;
  const about = Math.max(Math.round(estimateMs / 1000), 1);
  return elapsed < 1 ? `, about ${about} s` : `, ${elapsed} s of about ${about} s`;
}
