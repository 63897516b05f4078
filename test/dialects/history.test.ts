// What was said, whoever tells it: one system text, calls with their results.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeHistory, isWhole, type SaidMessage, toHistory } from '../../src/dialects/history.ts';

const user = (content: string): SaidMessage => ({ role: 'user', content });
const system = (content: string): SaidMessage => ({ role: 'system', content });
const asking = (...calls: readonly [id: string | null, name: string][]): SaidMessage => ({
  role: 'assistant',
  content: '',
  toolCalls: calls.map(([id, name]) => ({ id, name, arguments: {} })),
});
const result = (content: string, of: Pick<SaidMessage, 'toolCallId' | 'toolName'> = {}): SaidMessage => ({
  role: 'tool',
  content,
  ...of,
});
const told = (messages: readonly SaidMessage[]) =>
  toHistory(messages).messages.map(({ role, content, toolCallId, toolName }) =>
    role === 'tool' ? [content, toolCallId, toolName] : [role, content],
  );
const NONE = 'Error: no result was given';

describe('system texts', () => {
  it.each([
    ['none', [user('a')], [], null],
    [
      'leading ones and instructions, joined',
      [system('B'), system('C'), user('a')],
      ['A', null, ''],
      'A\n\nB\n\nC',
    ],
    ['that alone', [system('A')], [], 'A'],
    ['without what is billed', [user('a')], ['x-anthropic-billing-header: cch=1', 'A'], 'A'],
  ])('%s', (_what, messages, instructions, expected) => {
    expect(toHistory(messages, instructions).system).toBe(expected);
  });

  it('that come later are told by the user before them, else by one of their own', () => {
    const { system: first, messages } = toHistory([
      user('a'),
      system('Remember.'),
      { role: 'assistant', content: 'b' },
      system('Hurry.'),
      system(''),
    ]);
    expect(first).toBeNull();
    expect(messages).toEqual([
      { role: 'user', content: 'a\n\nRemember.', own: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'Hurry.', own: null },
    ]);
  });
});

describe('calls and results', () => {
  it.each([
    [
      'by id, in call order',
      [
        asking(['1', 'f'], ['2', 'g']),
        result('G', { toolCallId: '2' }),
        result('F', { toolCallId: '1' }),
        user('x'),
      ],
      [
        ['assistant', ''],
        ['F', '1', 'f'],
        ['G', '2', 'g'],
        ['user', 'x'],
      ],
    ],
    [
      'by position, where a client gives no ids',
      [asking([null, 'f'], [null, 'f']), result('A'), result('B')],
      [
        ['assistant', ''],
        ['A', 'call_0_0', 'f'],
        ['B', 'call_0_1', 'f'],
      ],
    ],
    [
      'by name, where a client gives that',
      [asking([null, 'f'], [null, 'g']), result('G', { toolName: 'g' }), result('F', { toolName: 'f' })],
      [
        ['assistant', ''],
        ['F', 'call_0_0', 'f'],
        ['G', 'call_0_1', 'g'],
      ],
    ],
    [
      'by an id that nobody knows: by position',
      [asking(['1', 'f']), result('F', { toolCallId: 'other' })],
      [
        ['assistant', ''],
        ['F', '1', 'f'],
      ],
    ],
    [
      'of the newest call of an id',
      [
        asking(['1', 'f']),
        result('A', { toolCallId: '1' }),
        asking(['1', 'f']),
        result('B', { toolCallId: '1' }),
      ],
      [
        ['assistant', ''],
        ['A', '1', 'f'],
        ['assistant', ''],
        ['B', 'call_2_0', 'f'],
      ],
    ],
    [
      'of two messages, told after both',
      [
        asking(['1', 'f']),
        asking(['2', 'g']),
        result('F', { toolCallId: '1' }),
        result('G', { toolCallId: '2' }),
      ],
      [
        ['assistant', ''],
        ['F', '1', 'f'],
        ['assistant', ''],
        ['G', '2', 'g'],
      ],
    ],
    [
      'missing',
      [asking(['1', 'f'], ['2', 'g']), result('G', { toolCallId: '2' }), user('x')],
      [
        ['assistant', ''],
        [NONE, '1', 'f'],
        ['G', '2', 'g'],
        ['user', 'x'],
      ],
    ],
    [
      'of no call, as they are',
      [result('F', { toolCallId: '1' }), user('x')],
      [
        ['F', '1', undefined],
        ['user', 'x'],
      ],
    ],
    ['missing at the end: still open', [asking(['1', 'f'])], [['assistant', '']]],
  ])('%s', (_what, messages, expected) => {
    expect(told(messages)).toEqual(expected);
  });

  it('of a history that stands alone are all there, and none is without its call', () => {
    const closed = closeHistory(
      toHistory([result('F', { toolCallId: '1' }), user('x'), asking(['2', 'g'])]).messages,
    );
    expect(closed.map(({ role, content, toolCallId }) => [role, content, toolCallId])).toEqual([
      ['user', 'F', undefined],
      ['user', 'x', undefined],
      ['assistant', '', undefined],
      ['tool', NONE, '2'],
    ]);
  });

  it('belong together in every history, and nothing that was said is lost', () => {
    const id = fc.option(fc.constantFrom('1', '2', '3'));
    const any: fc.Arbitrary<SaidMessage> = fc.oneof(
      fc.string({ minLength: 1 }).map(user),
      fc.array(fc.tuple(id, fc.constantFrom('f', 'g')), { maxLength: 3 }).map((calls) => asking(...calls)),
      fc
        .record({ content: fc.string({ minLength: 1 }), id, name: fc.option(fc.constantFrom('f', 'g')) })
        .map(({ content, id: of, name }) =>
          result(content, {
            ...(of !== null && { toolCallId: of }),
            ...(name !== null && { toolName: name }),
          }),
        ),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), (messages) => {
        const closed = closeHistory(toHistory(messages).messages);
        for (const [at, { role, toolCalls = [] }] of closed.entries()) {
          if (role !== 'assistant') continue;
          const after = closed.slice(at + 1, at + 1 + toolCalls.length);
          expect(after.map(({ role: of, toolCallId }) => [of, toolCallId])).toEqual(
            toolCalls.map((call) => ['tool', call.id]),
          );
        }
        const calls = closed.flatMap(({ toolCalls = [] }) => toolCalls).length;
        expect(closed.filter(({ role }) => role === 'tool')).toHaveLength(calls);
        const said = closed.map(({ content }) => content).filter((content) => content !== NONE);
        expect(said.toSorted()).toEqual(messages.map(({ content }) => content).toSorted());
      }),
    );
  });
});

it('is whole where an assistant speaks in it', () => {
  expect(isWhole(toHistory([user('a')]))).toBe(false);
  expect(isWhole(toHistory([user('a'), { role: 'assistant', content: 'b' }, user('c')]))).toBe(true);
});
