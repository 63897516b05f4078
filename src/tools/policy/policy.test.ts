// The policy: what its file may say, and which of its rules speaks first.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsGlob } from '../name-pattern.ts';
import { type CallQuestion, decideCall } from './decide-call.ts';
import { fitsAllowRule, fitsRule, parseRule } from './rule.ts';
import { NO_POLICY, parseToolPolicy, ToolConfigError, type ToolPolicy } from './tool-policy.ts';

function policyOf(lists: { deny?: string[]; ask?: string[]; allow?: string[] }): ToolPolicy {
  return parseToolPolicy(JSON.stringify(lists), 'tool-policy.json');
}

function problemsOf(text: string): readonly string[] {
  try {
    parseToolPolicy(text, 'F');
  } catch (error) {
    if (error instanceof ToolConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a glob', () => {
  it.each([
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'abcd', false],
    ['*b*b*', 'abab', true],
    ['?', '🍵', true],
    ['?', '', false],
    ['a*', 'a\nb', true],
    ['A', 'a', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['', 'a', false],
  ])('%j fits %j: %s', (glob, text, fits) => {
    expect(fitsGlob(glob, text)).toBe(fits);
  });

  it('fits what the same regular expression fits', () => {
    const signs = fc.array(fc.constantFrom('*', '?', 'a', 'b', '.', '🍵')).map((all) => all.join(''));
    const texts = fc.array(fc.constantFrom('a', 'b', '.', '\n', '🍵')).map((all) => all.join(''));
    fc.assert(
      fc.property(signs, texts, (glob, text) => {
        const pattern = glob.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*').replaceAll('?', '.');
        expect(fitsGlob(glob, text)).toBe(new RegExp(`^${pattern}$`, 'su').test(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('ends, whatever it is', () => {
    expect(fitsGlob(`${'*a'.repeat(100)}*b`, 'a'.repeat(50_000))).toBe(false);
  });
});

describe('a rule', () => {
  it.each<[string, string, Record<string, unknown>, boolean]>([
    ['read_file', 'read_file', {}, true],
    ['read_*', 'read_file', {}, true],
    ['read_file', 'Read_File', {}, false],
    ['mcp__github', 'mcp__github__search', {}, true],
    ['mcp__git', 'mcp__github__search', {}, false],
    ['mcp__git*', 'mcp__github__search', {}, true],
    ['agent__coder__run', 'agent__coder__run', {}, true],
    ['read_file(path=/etc/*)', 'read_file', { path: '/etc/passwd' }, true],
    ['read_file(path=/etc/*)', 'read_file', { path: '/home/etc/x' }, false],
    ['read_file(path=/etc/*)', 'read_file', {}, false],
    ['read_file(path=*)', 'read_file', { path: { a: 1 } }, false],
    ['set(n=4?)', 'set', { n: 42 }, true],
    ['set(on=true)', 'set', { on: true }, true],
    ['set(text=a=(b)\n*)', 'set', { text: 'a=(b)\nc' }, true],
    ['set(toString=*)', 'set', {}, false],
  ])('%j for %s %j: %s', (text, name, args, fits) => {
    const rule = parseRule(text);
    expect(rule === null ? null : fitsRule(rule, { name, arguments: args })).toBe(fits);
  });

  it.each([
    '',
    ' ',
    'a b',
    'read_file(',
    'read_file()',
    'read_file(path)',
    '(a=b)',
    'a(b=c) d',
    'é',
    'a(b=c',
    'x'.repeat(1001),
  ])('%j is none', (text) => {
    expect(parseRule(text)).toBeNull();
  });

  it.each(['/data/../etc/x', '..', '../x', 'C:\\data\\..\\x', '/data/..'])(
    'that allows never fits a path that climbs: %s; one that denies does',
    (path) => {
      const rule = parseRule('read(path=*)');
      expect(rule && fitsAllowRule(rule, { name: 'read', arguments: { path } })).toBe(false);
      expect(rule && fitsRule(rule, { name: 'read', arguments: { path } })).toBe(true);
    },
  );

  it('that allows does fit dots that climb nowhere', () => {
    const rule = parseRule('read(path=/data/*)');
    expect(rule && fitsAllowRule(rule, { name: 'read', arguments: { path: '/data/a..b/...' } })).toBe(true);
  });
});

describe('the file', () => {
  it('may leave out any list, and be empty of rules', () => {
    expect(problemsOf('{}')).toEqual([]);
    expect(parseToolPolicy('{}', 'F')).toEqual(NO_POLICY);
    expect(policyOf({ deny: [' erase '] }).deny).toEqual([{ text: 'erase', name: 'erase', argument: null }]);
  });

  it.each([
    ['', 1],
    ['{"deny":["a"],}', 1],
    ['[]', 1],
    ['null', 1],
    ['{"deny":null}', 1],
    ['{"Deny":["a"]}', 1],
    ['{"deny":["a"],"deny":[]}', 1],
    ['{"deny":["a b", 1, null, {}], "ask":{}, "more":1}', 6],
  ])('%s has its problems told, all at once', (text, count) => {
    expect(problemsOf(text)).toHaveLength(count);
  });

  it('of any text is read or refused', () => {
    const lists = fc.array(fc.oneof(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.record({ deny: lists, ask: lists }).map((value) => JSON.stringify(value)),
        ),
        (text) => {
          for (const problem of problemsOf(text)) expect(problem).toMatch(/^F/);
        },
      ),
      { numRuns: 500 },
    );
  });
});

const QUESTION: CallQuestion = {
  call: { name: 'erase', arguments: { path: '/data/x' }, digest: 'd' },
  tool: { name: 'read_file', fingerprint: 'f', needsApproval: false },
  policy: NO_POLICY,
  session: { execution_policy: 'always_confirm', tool_policies: {} },
  grants: [],
  unknownDigests: new Set(),
};
const GRANT = { id: 'grant_1', toolName: 'erase', fingerprint: 'f', digest: null };

/** Each step with what makes it speak, the first first. */
const STEPS: readonly (readonly [
  rule: string,
  decision: string,
  change: Partial<CallQuestion> & { lists?: object },
])[] = [
  ['not_offered', 'refuse', { tool: null }],
  ['deny: erase', 'refuse', { lists: { deny: ['erase'] } }],
  ['unknown_outcome', 'ask', { unknownDigests: new Set(['d']) }],
  ['ask: erase(path=*)', 'ask', { lists: { ask: ['erase(path=*)'] } }],
  ['grant: grant_1', 'run', { grants: [GRANT] }],
  [
    'tool_policies',
    'run',
    { session: { execution_policy: 'always_confirm', tool_policies: { erase: 'never_confirm' } } },
  ],
  ['allow: erase', 'run', { lists: { allow: ['erase'] } }],
  ['needs_approval', 'ask', { tool: { name: 'read_file', fingerprint: 'f', needsApproval: true } }],
  ['execution_policy', 'ask', {}],
];

describe('a decision', () => {
  it('is that of the first step that applies, whichever others would speak, too', () => {
    const subsets = fc.subarray(STEPS.map((_, index) => index).slice(0, -1));
    fc.assert(
      fc.property(subsets, (chosen) => {
        const steps = chosen.map((index) => STEPS[index]).filter((step) => step !== undefined);
        const [rule, decision] = steps[0] ?? ['execution_policy', 'ask'];
        const lists = Object.assign({}, ...steps.map(([, , change]) => change.lists ?? {}));
        const question = Object.assign(
          {},
          QUESTION,
          ...steps.toReversed().map(([, , { lists: _lists, ...change }]) => change),
          {
            policy: policyOf(lists),
          },
        );
        expect(decideCall(question)).toEqual({ decision, rule });
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['of another fingerprint', { ...GRANT, fingerprint: 'other' }],
    ['for another tool', { ...GRANT, toolName: 'read' }],
    ['for other arguments', { ...GRANT, digest: 'other' }],
  ])('is not that of a grant %s', (_what, grant) => {
    expect(decideCall({ ...QUESTION, grants: [grant] }).rule).toBe('execution_policy');
  });

  it('is that of a grant for these arguments', () => {
    expect(decideCall({ ...QUESTION, grants: [{ ...GRANT, digest: 'd' }] })).toEqual({
      decision: 'run',
      rule: 'grant: grant_1',
    });
  });

  it('asks where a stored session says what is no policy, and by names of the language', () => {
    const session = { execution_policy: 'sometimes', tool_policies: { erase: 'maybe' } };
    expect(decideCall({ ...QUESTION, session })).toEqual({ decision: 'ask', rule: 'default' });
    const call = { ...QUESTION.call, name: 'constructor' };
    expect(decideCall({ ...QUESTION, call }).rule).toBe('execution_policy');
  });

  it('asks nobody about a tool that says so, unless the operator does', () => {
    const tool = { name: 'erase', fingerprint: 'f', needsApproval: true, asksNobody: true };
    const session = { execution_policy: 'always_confirm', tool_policies: { erase: 'always_confirm' } };
    const decide = (lists: object) =>
      decideCall({ ...QUESTION, tool, session, policy: policyOf(lists) }).decision;
    expect([decide({}), decide({ ask: ['erase'] }), decide({ deny: ['erase'] })]).toEqual([
      'run',
      'ask',
      'refuse',
    ]);
  });

  it('takes what the session says of the name in rules before what it says of the shown one', () => {
    const decide = (tool_policies: Record<string, string>) =>
      decideCall({ ...QUESTION, session: { execution_policy: 'always_confirm', tool_policies } }).decision;
    expect(decide({ erase: 'never_confirm', read_file: 'always_confirm' })).toBe('run');
    expect(decide({ erase: 'always_confirm', read_file: 'never_confirm' })).toBe('ask');
    expect(decide({ erase: 'no policy', read_file: 'never_confirm' })).toBe('run');
  });

  it('runs and asks as the session says', () => {
    const session = { execution_policy: 'never_confirm', tool_policies: { erase: 'always_confirm' } };
    expect(decideCall({ ...QUESTION, session })).toEqual({ decision: 'ask', rule: 'tool_policies' });
    const call = { ...QUESTION.call, name: 'read' };
    expect(decideCall({ ...QUESTION, call, session })).toEqual({ decision: 'run', rule: 'execution_policy' });
  });
});
