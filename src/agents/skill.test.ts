// SKILL.md as people write it, and as nobody should.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSkill } from './skill.ts';

function read(text: string) {
  try {
    const found = parseSkill(text, 'coder');
    return found.ok ? { ...found.skill, warnings: found.warnings } : found.problem;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
const withFront = (front: string, body = 'Do it.') => read(`---\n${front}\n---\n${body}`);

const PLAIN = {
  description: 'Codes.',
  model: null,
  allowedTools: [],
  license: null,
  compatibility: null,
  metadata: {},
  run: {
    maxIterations: null,
    timeoutSeconds: null,
    maxTokens: null,
    think: false,
    planning: true,
    approvePlan: false,
  },
  systemPrompt: 'Do it.',
  warnings: [],
};

describe('a SKILL.md', () => {
  it.each([
    ['as the standard has it', '---\nname: coder\ndescription: Codes.\n---\n\nDo it.\n'],
    ['with CRLF', '---\r\ndescription: Codes.\r\n---\r\nDo it.\r\n'],
    ['with spaces behind the lines ---', '--- \ndescription: Codes.\n---\t\nDo it.'],
    ['with quotes', `---\n"description": 'Codes.'\n---\nDo it.`],
    ['with a comment', '---\n# mine\ndescription: Codes. # so\n---\nDo it.'],
    ['with a null', '---\ndescription: Codes.\nmodel: ~\nlicense:\n---\nDo it.'],
  ])('is read %s', (_how, text) => {
    expect(read(text)).toEqual(PLAIN);
  });

  it('may say all that the standard has, and what is ours', () => {
    const front = `name: coder
description: >
  Codes
  well.
model: qwen3:8b
license: MIT
compatibility: needs git
allowed-tools: read_file, mcp__git Bash(git add *) read_*
metadata:
  author: me
  version: 1.0
  mochi-max-iterations: 7
  mochi-timeout-seconds: "0"
  mochi-max-tokens: 5000
  mochi-think: high
  mochi-planning: false
  mochi-approve-plan: true`;
    expect(withFront(front, '# Title\n\ntext\n')).toEqual({
      description: 'Codes well.',
      model: 'qwen3:8b',
      allowedTools: ['read_file', 'mcp__git', 'Bash(git add *)', 'read_*'],
      license: 'MIT',
      compatibility: 'needs git',
      metadata: {
        author: 'me',
        version: '1.0',
        'mochi-max-iterations': '7',
        'mochi-timeout-seconds': '0',
        'mochi-max-tokens': '5000',
        'mochi-think': 'high',
        'mochi-planning': 'false',
        'mochi-approve-plan': 'true',
      },
      run: {
        maxIterations: 7,
        timeoutSeconds: 0,
        maxTokens: 5000,
        think: 'high',
        planning: false,
        approvePlan: true,
      },
      systemPrompt: '# Title\n\ntext',
      warnings: ['metadata: mochi-approve-plan is not used: with mochi-planning false there is no plan.'],
    });
  });

  it.each([
    ['a colon in a text', 'description: Use when: x\nmodel: a', { description: 'Use when: x', model: 'a' }],
    ['a star before a text', 'description: *really* good', { description: '*really* good' }],
    ['a name that stands for nothing', 'description: *really', { description: '*really' }],
    ['a tag', 'description: !important read', { description: '!important read' }],
    ['a sign that YAML keeps', 'description: `x` and more', { description: '`x` and more' }],
    ['no space behind the colon', 'description:Codes\nmodel:a', { description: 'Codes', model: 'a' }],
    ['a text over lines', 'description: Use: x\n  and y\nmodel: a', { description: 'Use: x and y' }],
    [
      'a list of texts beside a slip',
      'description: Use: x\nmetadata:\n  mochi-max-iterations: 3\nallowed-tools:\n  - a\n  - b*',
      { allowedTools: ['a', 'b*'], run: { ...PLAIN.run, maxIterations: 3 } },
    ],
    ['a key twice: the first', 'description: a\ndescription: b', { description: 'a' }],
    ['a line that is none', 'description: a: b\nwhatever', { description: 'a: b' }],
  ])('that is no YAML is read line by line: %s', (_what, front, expected) => {
    const found = withFront(front);
    expect(found).toMatchObject(expected);
    expect(Object(found).warnings[0]).toMatch(
      /^The front matter is no YAML \(.*\): it was read line by line\.$/s,
    );
  });

  it.each([
    ['', 'SKILL.md does not begin with ---: it has no front matter.'],
    ['# Coder\n', 'SKILL.md does not begin with ---: it has no front matter.'],
    ['\n---\ndescription: a\n---\n', 'SKILL.md does not begin with ---: it has no front matter.'],
    ['---\ndescription: a\n', 'The front matter of SKILL.md is not closed by a line ---.'],
    ['---\n---\nbody', 'SKILL.md has no description.'],
    ['---\nmodel: a\n---\nbody', 'SKILL.md has no description.'],
    ['---\ndescription: "  "\n---\nbody', 'SKILL.md has no description.'],
    ['---\ndescription:\n  - a\n---\nbody', 'SKILL.md has no description.'],
    ['---\njust text\n---\nbody', 'SKILL.md has no description.'],
    [`---\ndescription: ${'a'.repeat(17_000)}\n---\n`, 'The front matter of SKILL.md is over 16 kB.'],
    [
      '---\na: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ndescription: lol\n---\n',
      'The front matter has aliases (*name).',
    ],
    ['---\na: &a x\nb: *a\ndescription: Use: x\n---\n', 'The front matter has aliases (*name).'],
    [`---\ndescription: a\nx: ${'['.repeat(16_000)}\n---\n`, 'The front matter is nested too deep.'],
    [`---\ndescription: a\nx:\n  ${'- '.repeat(7000)}\n---\n`, 'The front matter is nested too deep.'],
  ])('that cannot be used says why: %j', (text, problem) => {
    expect(read(text)).toBe(problem);
  });

  it('warns of what is odd and harms nothing', () => {
    const front = `name: painter\ndescription: ${'a'.repeat(1025)}\nmodel: [a]\nallowed_tools: x
metadata:\n  mochi-max-iterations: many\n  mochi-think: "deep"\n  mochi-speed: 9\n  odd: [1]`;
    expect(withFront(front)).toMatchObject({
      model: null,
      run: PLAIN.run,
      warnings: [
        'The description is over 1024 characters: all of it is sent to models.',
        'Not used: allowed_tools.',
        'metadata: odd has to be text: it is not used.',
        'metadata: mochi-max-iterations has to be a whole number from 1 to 1000: it is not used.',
        'metadata: mochi-think has to be true, false, low, medium or high: it is not used.',
        'metadata: mochi-speed is not known.',
        'model has to be text: it is not used.',
        'name is "painter": the name of the folder counts.',
      ],
    });
    expect(withFront('description: a\nmetadata: none')).toMatchObject({
      metadata: {},
      warnings: ['metadata has to hold keys with texts: it is not used.'],
    });
  });

  it('warns that no plan is approved where none is made', () => {
    const warningsOf = (planning: boolean, approve: boolean) =>
      Object(
        withFront(
          `description: a\nmetadata:\n  mochi-planning: "${planning}"\n  mochi-approve-plan: "${approve}"`,
        ),
      ).warnings;
    expect(warningsOf(false, true)).toEqual([
      'metadata: mochi-approve-plan is not used: with mochi-planning false there is no plan.',
    ]);
    expect([warningsOf(true, true), warningsOf(false, false)]).toEqual([[], []]);
  });

  it('takes its description for its body where that is blank', () => {
    expect(withFront('description: Codes.', ' \n\n')).toMatchObject({ systemPrompt: 'Codes.' });
  });

  it('never throws anything but words, whatever it holds', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '---',
        'description: ',
        ': ',
        '\n',
        '  ',
        '- ',
        '&a ',
        '*a',
        '!t ',
        '|',
        '{',
        '[',
        '"',
        "'",
        '\r',
        '%',
        '? ',
      ),
      fc.constantFrom('metadata:', '__proto__: ', 'constructor: x\n', '<<: ', '\u0000', '\uFEFF'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const found = read(`---\n${pieces.join('')}\n---\nbody`);
        if (typeof found !== 'string') expect(found.description.trim()).not.toBe('');
        else expect(found).toMatch(/^(SKILL\.md|The front matter) /);
      }),
      { numRuns: 1000 },
    );
  });
});
