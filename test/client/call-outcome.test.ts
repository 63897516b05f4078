// How a call ended, by the sentences that the server has for it.
import { expect, it } from 'vitest';
import { declined, failure, notRun, notRunAgain } from '../../src/chat/step/call-result.ts';
import { outcomeOf } from '../../src/client/index.ts';

it.each([
  [notRun('add', 'the turn was cancelled'), 'not_run'],
  [notRunAgain('add'), 'unknown'],
  [declined("Tool 'add' was denied by user"), 'denied'],
  [declined("Tool 'add' was denied by user: too dear"), 'denied'],
  [declined("Tool 'add' was not approved in time"), 'not_approved'],
  [failure('not run: it needs an approval'), 'not_run'],
  [failure('no such file'), 'failed'],
  [failure("Tool 'add' was denied by user"), 'failed'],
] as const)('of %o is told by its sentence, live and stored', ({ content, text, success }, outcome) => {
  expect(outcomeOf(content)).toBe(outcome);
  if (!text.includes('denied by user') || outcome === 'denied')
    expect(outcomeOf(text, success)).toBe(outcome);
});

it('of what a tool answered is done, whatever it says', () => {
  expect(outcomeOf("Tool 'add' was denied by user", true)).toBe('done');
  expect(outcomeOf('12')).toBe('done');
  expect(outcomeOf("The tool 'add' was denied by user once")).toBe('done');
});
