import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineMessage, EngineToolCall } from '../../contract/engine.ts';
import type { PathMessage } from '../../store/messages.ts';
import { buildPrompt } from './build-prompt.ts';

let counter = 0;
const stored = (changes: Partial<PathMessage>): PathMessage => ({
  role: 'user',
  content: '',
  thinking: null,
  message_id: `m${(counter += 1)}`,
  timestamp: '2026-02-15T09:49:38.310281Z',
  model: null,
  eval_count: null,
  finish_reason: null,
  prompt_eval_count: null,
  tool_calls: null,
  source_file: null,
  tool_name: null,
  parent_id: null,
  turn_id: null,
  status: 'complete',
  sibling_count: 1,
  sibling_index: 0,
  depth: 0,
  active: true,
  toolCallId: null,
  ...changes,
});
const calling = (...names: string[]) =>
  stored({
    role: 'assistant',
    tool_calls: names.map((name) => ({ function: { name, arguments: { of: name } } })),
  });
const result = (name: string, id: string | null = null) =>
  stored({ role: 'tool', content: `${name} done`, tool_name: name, toolCallId: id });
const noCalls = new Map<string, readonly EngineToolCall[]>();

/** What strict templates refuse, as Ollama's Jinja path does. */
function problemsOf(messages: readonly EngineMessage[]): string[] {
  const problems: string[] = [];
  let open = 0;
  for (const [index, { role, toolCalls = [] }] of messages.entries()) {
    if (role === 'system' && index > 0) problems.push(`a late system message at ${index}`);
    if (role === 'tool' && open === 0) problems.push(`a result without its call at ${index}`);
    if (role !== 'tool' && open > 0) problems.push(`${open} calls without results before ${index}`);
    open = role === 'tool' ? Math.max(0, open - 1) : toolCalls.length;
  }
  if (open > 0) problems.push(`${open} calls without results at the end`);
  return problems;
}

const call = fc.record({
  function: fc.record({ name: fc.string(), arguments: fc.dictionary(fc.string(), fc.jsonValue()) }),
});
const anyMessage = fc.oneof(
  fc.record({ role: fc.constant('user' as const), content: fc.string() }),
  fc.record({
    role: fc.constant('assistant' as const),
    content: fc.string(),
    thinking: fc.option(fc.string()),
    tool_calls: fc.option(fc.array(call, { maxLength: 3 })),
  }),
  fc.record({ role: fc.constant('system' as const), content: fc.string() }),
);
/** Results that follow their call, in number anything from none to all. */
const anyExchange = fc
  .record({ message: anyMessage, answered: fc.nat({ max: 3 }) })
  .map(({ message, answered }) => {
    const calls = 'tool_calls' in message ? (message.tool_calls ?? []) : [];
    const results = calls.slice(0, answered).map(({ function: { name } }) => result(name));
    return [stored(message), ...results];
  });
const anyHistory = fc.array(anyExchange, { maxLength: 8 }).map((exchanges) => exchanges.flat());
const anySystem = fc.option(fc.string().map((content) => stored({ role: 'system', content })));

const nothing = { system: null, summary: null };

describe('buildPrompt', () => {
  it('tells the summary in the one system message', () => {
    const told = (system: string | null) =>
      buildPrompt({ system, summary: 'They spoke of Redis.' }, [], noCalls);
    expect(told(null)).toEqual([
      { role: 'system', content: expect.stringMatching(/\nThey spoke of Redis\.$/) },
    ]);
    expect(told('Be brief.')).toEqual([
      { role: 'system', content: expect.stringMatching(/^Be brief\.\n\n.+\nThey spoke of Redis\.$/) },
    ]);
  });

  it('puts the system prompt first, then the history in order', () => {
    const system = stored({ role: 'system', content: 'Be brief.' });
    const history = [
      stored({ content: 'One' }),
      stored({ role: 'assistant', content: '1' }),
      stored({ content: 'Two' }),
    ];
    expect(buildPrompt({ system: system?.content ?? null, summary: null }, history, noCalls)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: '1' },
      { role: 'user', content: 'Two' },
    ]);
  });

  it('gives calls and results the ids under which the engine knows them', () => {
    const asking = calling('f', 'g');
    const known = new Map([
      [
        asking.message_id,
        [
          { id: 'call_f', name: 'f', arguments: { of: 'f' } },
          { id: 'call_g', name: 'g', arguments: '{"broken' },
        ],
      ],
    ]);
    expect(buildPrompt(nothing, [asking, result('f', 'call_f'), result('g', 'call_g')], known)).toEqual([
      { role: 'assistant', content: '', toolCalls: known.get(asking.message_id) },
      { role: 'tool', content: 'f done', toolName: 'f', toolCallId: 'call_f' },
      { role: 'tool', content: 'g done', toolName: 'g', toolCallId: 'call_g' },
    ]);
  });

  it('answers a call that nobody has answered', () => {
    const prompt = buildPrompt(
      nothing,
      [calling('f', 'g'), result('f'), stored({ content: 'And?' })],
      noCalls,
    );
    expect(prompt.map(({ role, toolName }) => [role, toolName])).toEqual([
      ['assistant', undefined],
      ['tool', 'f'],
      ['tool', 'g'],
      ['user', undefined],
    ]);
    expect(prompt[2]?.content).toMatch(/^Error/);
    expect(prompt[2]?.toolCallId).toBe(prompt[0]?.toolCalls?.[1]?.id);
  });

  it('always has every call answered, and one system message at most, first', () => {
    fc.assert(
      fc.property(anySystem, anyHistory, (system, history) => {
        const prompt = buildPrompt({ system: system?.content ?? null, summary: null }, history, noCalls);
        expect(problemsOf(prompt)).toEqual([]);
        expect(prompt.filter(({ role }) => role === 'system')).toHaveLength(system === null ? 0 : 1);
      }),
    );
  });

  it('has no result without its call, as a file of another program can have one', () => {
    const stray = fc.oneof(
      anyExchange,
      fc.string().map((name) => [result(name)]),
    );
    fc.assert(
      fc.property(fc.array(stray, { maxLength: 8 }), (exchanges) => {
        expect(problemsOf(buildPrompt(nothing, exchanges.flat(), noCalls))).toEqual([]);
      }),
    );
  });

  it('says everything that is stored, in order', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const said = buildPrompt(nothing, history, noCalls).filter(
          ({ content }) => content !== 'Error: no result',
        );
        expect(said.map(({ content }) => content)).toEqual(history.map(({ content }) => content));
      }),
    );
  });

  it('is a prefix of the prompt after the next exchange', () => {
    fc.assert(
      fc.property(anySystem, anyHistory, anyHistory, (system, history, more) => {
        const next = stored({ role: 'user', content: 'Next' });
        const before = buildPrompt(
          { system: system?.content ?? null, summary: null },
          [...history, next],
          noCalls,
        );
        const after = buildPrompt(
          { system: system?.content ?? null, summary: null },
          [...history, next, ...more],
          noCalls,
        );
        expect(after.slice(0, before.length)).toEqual(before);
      }),
    );
  });
});
