import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModelJson, withoutThoughts } from './model-json.ts';

const OBJECT = '{"city":"Paris"}';

describe('the JSON that a model wrote', () => {
  it.each([
    ['alone', OBJECT],
    ['after thoughts', `<think>Maybe {"city":"Rome"}?</think>${OBJECT}`],
    ['after thoughts with lines', `<think>\nHm.\n</think>\n\n${OBJECT}\n`],
    ['after thoughts that the template began', `I think it is {"city":"Rome"}.\n</think>\n${OBJECT}`],
    ['after thoughts by another name', `<thinking>Hm</thinking>${OBJECT}`],
    ['after empty thoughts', `<think></think>${OBJECT}`],
    ['after prose', `Sure! Here is the JSON: ${OBJECT}`],
    ['between prose', `Here you are:\n\n${OBJECT}\n\nI hope that {this} helps :-}`],
    ['after a footnote', `As [1] says: ${OBJECT} [2]`],
    ['in a fence', `\`\`\`json\n${OBJECT}\n\`\`\``],
    ['in a fence on one line', `\`\`\`json ${OBJECT}\`\`\``],
    ['in a fence on one line without a language', `\`\`\`${OBJECT}\`\`\``],
    ['in a fence that does not end', `\`\`\`json\n${OBJECT}`],
    ['in a fence after prose', `Sure:\n\`\`\`json\n${OBJECT}\n\`\`\`\nDone.`],
    ['in a fence after thoughts', `<think>\`\`\`json\n{}\n\`\`\`</think>\n\`\`\`json\n${OBJECT}\n\`\`\``],
  ])('is found %s', (_where, text) => {
    expect(parseModelJson(text)).toEqual({ city: 'Paris' });
  });

  it.each([
    ['```json\n"Paris"\n```', 'Paris'],
    ['```"Paris"```', 'Paris'],
    ['```json 7```', 7],
    ['<think>Seven.</think> 7', 7],
    ['{"a":"<think>no thought</think>"}', { a: '<think>no thought</think>' }],
    ['Text: {"a":"a \\" and a } and a ``` in it"}', { a: 'a " and a } and a ``` in it' }],
    ['List: [{"a":1},{"a":[2]}]', [{ a: 1 }, { a: [2] }]],
    ['Two: {"a":1} and {"a":1,"b":2}', { a: 1, b: 2 }],
  ])('is found in %j', (text, value) => {
    expect(parseModelJson(text)).toEqual(value);
  });

  it.each([
    ['nothing', ''],
    ['prose', 'Paris is a city.'],
    ['a number in prose', 'There are 7 of them'],
    ['thoughts only', '<think>{"city":"Rome"}'],
    ['a cut object', '{"city":{"name":"Paris"},"more":"and'],
    ['a cut object after prose', 'Here: {"city":{"name":"Paris"},"more":"and'],
    ['a cut list', '[{"city":"Paris"},{"ci'],
    ['something like JSON', "{'city':'Paris'}"],
    ['an object with a fault, whole parts in it', '{"city":{"name":"Paris"},}'],
  ])('is not found in %s', (_what, text) => {
    expect(() => parseModelJson(text)).toThrow(SyntaxError);
  });

  it('is found wherever it stands, or a SyntaxError says that it does not', () => {
    const prose = fc.string({ unit: 'binary' }).filter((text) => !/[[{<`]/.test(text));
    const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(prose, value, prose, (before, found, after) => {
        const json = JSON.stringify(found);
        expect(JSON.stringify(parseModelJson(`${before}${json}${after}`))).toBe(json);
      }),
    );
    const pieces = fc.constantFrom(
      '```',
      'json',
      '\n',
      '{',
      '}',
      '[',
      ']',
      '"a"',
      ':',
      '"',
      ' ',
      '<think>',
      '</think>',
    );
    fc.assert(
      fc.property(fc.array(pieces), (list) => {
        try {
          parseModelJson(list.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });

  it.each(['{', '[', '{"', '{ ', '[ ', '```', '<think>', '</think>', '{"a":', '{}'])(
    'is looked for in a time that grows with the text: %j',
    (part) => {
      const before = process.cpuUsage();
      try {
        parseModelJson(`so ${part.repeat(100_000)}`);
      } catch {
        // Most are none.
      }
      // Microseconds of work, other processes left out: a hundred times what it needs.
      expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
    },
  );
});

it('is read whatever its length', () => {
  const city = 'x'.repeat(20_000_000);
  expect(Object(parseModelJson(`Sure: {"city":"${city}"}.`)).city).toBe(city);
  expect(() => parseModelJson(`Sure: {"city":"${city}`)).toThrow(SyntaxError);
});

it.each([
  ['Paris', 'Paris'],
  ['<think>Hm</think>Paris', 'Paris'],
  ['  <think>\nHm\n</think>\n\nParis', '\n\nParis'],
  ['Hm</think>Paris', 'Paris'],
  ['<think>Hm', ''],
  ['About <think> as a tag', 'About <think> as a tag'],
])('%j without thoughts is %j', (text, said) => {
  expect(withoutThoughts(text)).toBe(said);
});
