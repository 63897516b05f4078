// The template sees marks in place of texts. What people write is tokenized apart, as plain text: nobody can write a
// token that ends their message and begins another one. The marks cannot be guessed.
import { randomHex } from '../../kit/ids.ts';

export interface Marks {
  /** What a message says. Empty stays empty, as templates ask for that, unless its place must be found again. */
  content(text: string, isPlace: boolean): string;
  text(text: string): string;
  /** Texts inside a value that the template writes as JSON, where they could be read as special tokens. */
  json(value: unknown): unknown;
  /** The rendered text up to the end of what the message of this number says. */
  cutAfterContent(rendered: string, message: number): string;
  /** Parts of the template, and in between what stands for the marks. */
  split(rendered: string): readonly { readonly piece: string; readonly isTemplate: boolean }[];
}

/** Special tokens begin with one of these in all vocabularies that are known here. */
const SUSPICIOUS = /[<[]/;

export function createMarks(): Marks {
  // Plain letters: templates may quote what they are given.
  const key = randomHex(16);
  const texts: string[] = [];
  /** One for each message. */
  const contents: string[] = [];
  const pattern = new RegExp(`mark${key}x(\\d+);`);

  function text(given: string): string {
    texts.push(given);
    return `mark${key}x${texts.length - 1};`;
  }

  function json(value: unknown): unknown {
    if (typeof value === 'string') {
      return SUSPICIOUS.test(value) ? text(JSON.stringify(value).slice(1, -1)) : value;
    }
    if (Array.isArray(value)) return value.map(json);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [String(json(name)), json(member)]),
    );
  }

  return {
    content(given, isPlace) {
      const mark = given === '' && !isPlace ? '' : text(given);
      contents.push(mark);
      return mark;
    },
    text,
    json,
    cutAfterContent(rendered, message) {
      const mark = contents[message] ?? '';
      return rendered.slice(0, rendered.lastIndexOf(mark) + mark.length);
    },
    split: (rendered) =>
      // Every second part is the number of a text.
      rendered.split(pattern).map((part, place) => {
        const isTemplate = place % 2 === 0;
        return { piece: isTemplate ? part : (texts[Number(part)] ?? ''), isTemplate };
      }),
  };
}
