// What a parent's model reads of a run: in order, and within its limit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunEnd, type RunStep, runResult } from './result-text.ts';

const STEPS: readonly RunStep[] = [
  { kind: 'text', text: '1. Look. 2. Tell.' },
  { kind: 'text', text: '' },
  { kind: 'call', name: 'read_file', arguments: { path: 'a.txt' } },
  { kind: 'result', text: 'apples' },
  { kind: 'call', name: 'read_file', arguments: {} },
  { kind: 'result', text: 'Error: There is no such file' },
  { kind: 'text', text: 'There are apples.\nNothing else.' },
];
const result = (end: RunEnd, limit = 16_000, steps = STEPS) =>
  runResult({ chatId: 'ab12cd34ef', agentName: 'coder', steps, end }, limit);

const MIDDLE = `1. Look. 2. Tell.
Tool call: read_file {"path":"a.txt"}
Result: apples
Tool call: read_file {}
Result: Error: There is no such file
There are apples.
Nothing else.`;

describe('the result of a run', () => {
  it('is all that was said and done since the instruction', () => {
    expect(result({ reason: 'completed' })).toEqual({
      success: true,
      text: `Session ID: ab12cd34ef\n${MIDDLE}`,
    });
  });

  it.each([
    [{ reason: 'max_iterations', count: 50 }, '50 rounds'],
    [{ reason: 'timeout', count: 1800 }, '1800 seconds'],
    [{ reason: 'token_limit', count: 9000 }, '9000 tokens'],
  ] as const)('warns last where a limit stopped it: %j', (end, limit) => {
    expect(result(end)).toEqual({
      success: true,
      text: `Session ID: ab12cd34ef\n${MIDDLE}\nWarning: the agent stopped at its limit of ${limit}`,
    });
  });

  it.each([
    [{ reason: 'plan_denied', message: 'Nobody spoke.' }, 'Nobody spoke.'],
    [{ reason: 'cancelled' }, 'The agent coder was cancelled.'],
    [
      { reason: 'failed', message: 'Ollama could not be reached.' },
      'The agent coder failed: Ollama could not be reached.',
    ],
    [
      { reason: 'interrupted', message: 'The server stopped.' },
      'The agent coder was interrupted: The server stopped.',
    ],
  ] as const)('says what went wrong, what was done, and how to go on: %j', (end, first) => {
    expect(result(end)).toEqual({
      success: false,
      text: `${first}\nSession ID: ab12cd34ef\n${MIDDLE}\nContinue with session_id ab12cd34ef.`,
    });
  });

  it('tells nobody to go on in a chat that is gone', () => {
    expect(result({ reason: 'deleted' }).text).toBe(
      `The agent coder was cancelled: its chat was deleted.\nSession ID: ab12cd34ef\n${MIDDLE}\nThis session_id is gone. Call the agent without one to begin anew.`,
    );
  });

  it('of nothing is the id alone', () => {
    expect(result({ reason: 'completed' }, 16_000, []).text).toBe('Session ID: ab12cd34ef');
  });

  it('that is too long has its results shortened first, the oldest first', () => {
    const steps: RunStep[] = [
      { kind: 'text', text: 'p'.repeat(600) },
      { kind: 'result', text: `<${'x'.repeat(2000)}>` },
      { kind: 'result', text: `<${'y'.repeat(2000)}>` },
      { kind: 'call', name: 'write', arguments: { text: 'z'.repeat(600) } },
      { kind: 'text', text: 'done' },
    ];
    const { text } = result({ reason: 'completed' }, 4200, steps);
    const lines = text.split('\n');
    expect(lines.map((line) => [line.slice(0, 12), line.slice(-3), line.length])).toEqual([
      ['Session ID: ', '4ef', 22],
      ['pppppppppppp', 'ppp', 600],
      ['Result: <xxx', 'xx>', 508],
      ['Result: <yyy', 'yy>', 2010],
      ['Tool call: w', 'z"}', 628],
      ['done', 'one', 4],
    ]);
    expect(lines[2]).toMatch(/^Result: <x+\[… 15\d\d characters are left out here …\]x+>$/);
  });

  it('then its arguments, then the middle of old texts, then the oldest steps', () => {
    const steps: RunStep[] = [
      { kind: 'text', text: 'p'.repeat(2000) },
      { kind: 'call', name: 'write', arguments: { text: 'z'.repeat(2000) } },
      { kind: 'result', text: 'x'.repeat(2000) },
      { kind: 'text', text: 'l'.repeat(500) },
    ];
    const lengths = (limit: number) =>
      result({ reason: 'completed' }, limit, steps)
        .text.split('\n')
        .map((line) => line.length);
    expect(lengths(7000)).toEqual([22, 2000, 2028, 2008, 500]);
    expect(lengths(6000)).toEqual([22, 2000, 2028, 508, 500]);
    expect(lengths(4000)).toEqual([22, 2000, 517, 508, 500]);
    expect(lengths(2100)).toEqual([22, 500, 517, 508, 500]);
    const note = '[… steps that are left out here: 1 …]'.length;
    expect(lengths(1700)).toEqual([22, note, 517, 508, 500]);
    expect(lengths(1100)).toEqual([22, note, 508, 500]);
    // Over half of the limit, the last text is shortened, too.
    expect(lengths(900)).toEqual([22, note, 449]);
  });

  it('never is over its limit, keeps its first line, and its last text up to half of it', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('text' as const), text: longText() }),
      fc.record({ kind: fc.constant('result' as const), text: longText() }),
      fc.record({
        kind: fc.constant('call' as const),
        name: fc.string({ minLength: 1, maxLength: 64 }),
        arguments: fc.dictionary(fc.string(), longText(), { maxKeys: 3 }),
      }),
    );
    const end = fc.oneof(
      fc.constantFrom<RunEnd>(
        { reason: 'completed' },
        { reason: 'cancelled' },
        { reason: 'timeout', count: 9 },
      ),
      longText().map((message): RunEnd => ({ reason: 'failed', message })),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        end,
        fc.integer({ min: 200, max: 20_000 }),
        (steps, how, limit) => {
          const report = { chatId: 'ab12cd34ef', agentName: 'a'.repeat(64), steps, end: how };
          const { success, text } = runResult(report, limit);
          expect(text.length + (success ? 0 : 'Error: '.length)).toBeLessThanOrEqual(limit);
          expect(text.isWellFormed()).toBe(true);
          if (limit < 1000) return;
          expect(text.split('\n')).toContain('Session ID: ab12cd34ef');
          const last = steps.findLast((one) => one.kind === 'text' && one.text.trim() !== '');
          if (last?.kind === 'text' && last.text.length <= limit / 2) expect(text).toContain(last.text);
          const whole = runResult(report, 10_000_000);
          const isWhole = how.reason !== 'failed' || how.message.length <= limit / 4;
          if (isWhole && whole.text.length + 7 <= limit) expect(text).toBe(whole.text);
        },
      ),
      { numRuns: 500 },
    );
  });
});

function longText(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 400 }))
    .map(([piece, times]) => piece.replaceAll('\n', ' ').repeat(times));
}
