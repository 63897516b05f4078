// How a call of a tool ended, in the word before its result.
import { type CallOutcome, outcomeOf } from '../client/index.ts';

const MARKS: Readonly<Record<CallOutcome, string>> = {
  done: '→',
  failed: 'failed:',
  denied: 'denied:',
  not_approved: 'not run:',
  not_run: 'not run:',
  unknown: 'unknown:',
};

export function outcomeMark(result: string, success: boolean): string {
  return MARKS[outcomeOf(result, success)];
}
