import { describe, expect, it } from 'vitest';
import { MAX_CALL_TEXT, mayBeCalls, readTextCalls } from './text-calls.ts';

const NAMES = new Set(['look', 'add']);
const LOOK = { name: 'look', arguments: { at: 'it' } };
const JSON_CALL = '{"name": "look", "arguments": {"at": "it"}}';
const PARAMETERS = '{"name":"look","parameters":{"at":"it"}}';

const FORMS: readonly [string, string, readonly unknown[]][] = [
  ['an object', JSON_CALL, [LOOK]],
  ['with parameters', PARAMETERS, [LOOK]],
  ['with its keys in another order', '{"parameters":{"at":"it"},"name":"look"}', [LOOK]],
  ['with a type', '{"type":"function","name":"look","parameters":{"at":"it"}}', [LOOK]],
  ['without arguments', '{"name":"add"}', [{ name: 'add', arguments: {} }]],
  ['a list', `[${JSON_CALL}, {"name":"add"}]`, [LOOK, { name: 'add', arguments: {} }]],
  ['fenced', `\`\`\`json\n${JSON_CALL}\n\`\`\``, [LOOK]],
  ['fenced without a language', `\`\`\`\n[${JSON_CALL}]\n\`\`\`\n`, [LOOK]],
  ['in a tag', `<tool_call>\n${JSON_CALL}\n</tool_call>`, [LOOK]],
  [
    'in several tags',
    `<tool_call>${JSON_CALL}</tool_call>\n<tool_call>{"name":"add"}</tool_call>`,
    [LOOK, { name: 'add', arguments: {} }],
  ],
  ['a function', '<function=look><parameter=at>it</parameter></function>', [LOOK]],
  [
    'a function in a tag, on lines',
    '<tool_call>\n<function=look>\n<parameter=at>\nit\n</parameter>\n<parameter=n>\n2\n</parameter>\n</function>\n</tool_call>',
    [{ name: 'look', arguments: { at: 'it', n: '2' } }],
  ],
  ['a function without parameters', '<function=add></function>', [{ name: 'add', arguments: {} }]],
  ['of Mistral', `[TOOL_CALLS][${PARAMETERS}]`, [LOOK]],
  ['of Llama', `<|python_tag|>${PARAMETERS}`, [LOOK]],
  ['with space around', ` \n${JSON_CALL}\n\n`, [LOOK]],
];

describe('calls that are written as text', () => {
  it.each(FORMS)('%s', (_what, text, calls) => {
    expect(readTextCalls(text, NAMES)).toEqual(calls);
    // Held from its first character to its last.
    for (let length = 0; length <= text.length; length += 1) {
      expect([length, mayBeCalls(text.slice(0, length))]).toEqual([length, true]);
    }
  });

  it.each([
    ['nothing', ''],
    ['an empty list', '[]'],
    ['a text', 'Look at it.'],
    ['a text before', `Here: ${JSON_CALL}`],
    ['a text after', `${JSON_CALL} is what I call.`],
    ['a text after a tag', `<tool_call>${JSON_CALL}</tool_call> Done.`],
    ['a text between tags', `<tool_call>${JSON_CALL}</tool_call> and <tool_call>${JSON_CALL}</tool_call>`],
    ['a tool that is not offered', '{"name":"delete","arguments":{}}'],
    ['one that is not among those that are', `[${JSON_CALL},{"name":"delete"}]`],
    ['a name in another case', '{"name":"Look","arguments":{}}'],
    ['arguments as text', '{"name":"look","arguments":"{}"}'],
    ['arguments as a list', '{"name":"look","arguments":[]}'],
    ['arguments that are null', '{"name":"look","arguments":null,"parameters":null}'],
    ['both kinds of arguments', '{"name":"look","arguments":{},"parameters":{}}'],
    ['another key', '{"name":"look","arguments":{},"why":"because"}'],
    ['JSON that is an answer', '{"sum":3}'],
    ['broken JSON', '{"name":"look","arguments":{"at":"it"}'],
    ['an open tag', `<tool_call>${JSON_CALL}`],
    ['a function that is cut', '<function=look><parameter=at>it</parameter>'],
    ['too deep', `{"name":"look","arguments":${'{"a":'.repeat(60)}1${'}'.repeat(60)}}`],
    [
      'too many',
      `[${Array.from({ length: 600 }, () => '{"name":"l"}').join()}]`
        .replaceAll('"l"', '"add"')
        .slice(0, 7000),
    ],
    ['too long', `{"name":"look","arguments":{"at":"${'x'.repeat(MAX_CALL_TEXT)}"}}`],
  ])('%s is no call', (_what, text) => {
    expect(readTextCalls(text, NAMES)).toBeNull();
  });

  it.each([
    ['an answer', 'L'],
    ['JSON of another kind', '{"s'],
    ['JSON with a key that begins alike', '{"named"'],
    ['a list of numbers', '[1,'],
    ['a table', '<table'],
    ['a link', '[here]'],
    ['code', '```python\nprint(1)'],
    ['what is too long', `{"name": "${'x'.repeat(MAX_CALL_TEXT)}`],
  ])('%s is told as it comes', (_what, text) => {
    expect(mayBeCalls(text)).toBe(false);
  });

  it('takes no time over what was made to take it', () => {
    for (const part of ['<tool_call>', '<function=a>', '<parameter=a>', '{"name":', '[', '```', ' ']) {
      const text = part.repeat(MAX_CALL_TEXT / part.length);
      const before = process.cpuUsage();
      readTextCalls(text, NAMES);
      mayBeCalls(text);
      // Microseconds of work, other processes left out.
      expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
    }
  });
});
