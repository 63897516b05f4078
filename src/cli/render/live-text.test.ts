// Answers as they come, on a terminal that is emulated: what stands on it at the end, however they came.

import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScreen, type Screen } from '../../../test/support/screen.ts';
import { LiveText } from './live-text.ts';

// oxlint-disable-next-line no-control-regex -- it is about control characters
const SEQUENCE = /\u001b(.{0,6})/g;

interface Shown {
  readonly screen: Screen;
  /** All that was written, as one. */
  readonly written: string;
}

interface Place {
  readonly columns?: number;
  readonly rows?: number;
}

async function show(pieces: readonly string[], { columns = 80, rows = 24 }: Place = {}): Promise<Shown> {
  const screen = createScreen(columns, rows);
  let written = '';
  const text = new LiveText({
    draw: (sequence) => void (written += sequence),
    size: () => ({ columns, rows }),
  });
  for (const piece of pieces) text.write(piece);
  text.end();
  await screen.write(written.replaceAll('\n', '\r\n'));
  return { screen, written };
}

const rowsOf = async (text: string, place?: Place) => (await show([text], place)).screen.rows();

describe('markdown on a terminal', () => {
  it('hides marks and keeps words', async () => {
    expect(
      await rowsOf(
        '# Title\n**bold** and *it*, `code`, ~~no~~\n- one\n  - [x] two\n3. three\n> quote\n---\n',
      ),
    ).toEqual([
      'Title',
      'bold and it, code, no',
      '• one',
      '  • [x] two',
      '3. three',
      '│ quote',
      '─'.repeat(40),
    ]);
  });

  it('shows where a link leads, unless it says so itself', async () => {
    expect(
      await rowsOf('[docs](https://example.org/a) <https://example.org> ![cat](https://x.org/c.png)'),
    ).toEqual(['docs (https://example.org/a) https://example.org [cat] (https://x.org/c.png)']);
    expect(await rowsOf('[click](javascript:alert(1))')).toEqual(['[click](javascript:alert(1))']);
  });

  it('breaks between words under where the text began, and never inside of a character', async () => {
    expect(await rowsOf('- one two three four five', { columns: 14 })).toEqual([
      '• one two',
      '  three four',
      '  five',
    ]);
    expect(await rowsOf('これは「かぎかっこ」です。', { columns: 10 })).toEqual([
      'これは「か',
      'ぎかっこ」',
      'です。',
    ]);
    // A bracket does not stand alone at the end of a row, nor a full stop at the beginning.
    expect(await rowsOf('これは字「か」', { columns: 10 })).toEqual(['これは字', '「か」']);
    expect(await rowsOf('これは字です。', { columns: 12 })).toEqual(['これは字で', 'す。']);
    expect(await rowsOf('ab 👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', { columns: 6 })).toEqual(['ab 👩‍👩‍👧', '👩‍👩‍👧👩‍👩‍👧']);
    expect(await rowsOf(`see ${'x'.repeat(25)} end`, { columns: 10 })).toEqual([
      'see',
      'x'.repeat(10),
      'x'.repeat(10),
      'xxxxx end',
    ]);
  });

  it('leaves code as it is: what is copied has no breaks of ours', async () => {
    const code = `const answer = ${'1 + '.repeat(20)}1;`;
    const { screen } = await show([`\`\`\`ts\n\tif (a) {\n${code}\n\`\`\`\ndone`], { columns: 40 });
    expect(screen.text().split('\n')).toEqual(['─── ts', '    if (a) {', code, '───', 'done']);
  });

  it('colours code by the lines before, and ends its fences where they end', async () => {
    const { written } = await show(['```py\n"""a\nif b\n"""\nif c: pass\n```\n> ```\n> x\n> ```\ny']);
    // Inside of a string nothing is a keyword.
    expect(written).toContain('\u001b[32mif b\u001b[0m');
    expect(written).toContain('\u001b[35mif\u001b[0m c');
    expect(written).toContain('│ \u001b[0mx\n');
  });

  it('waits for the end of a table, and fits it in', async () => {
    const table = '| a | long words here |\n|---|---:|\n| `x|y` | 1 |\n';
    expect(await rowsOf(`${table}\nafter`)).toEqual([
      'a   │ long words here',
      '────┼────────────────',
      'x|y │               1',
      '',
      'after',
    ]);
    const narrow = await rowsOf(table.replace('a', 'several words of a head'), { columns: 20 });
    expect(narrow.every((line) => line.length <= 20)).toBe(true);
    expect(await rowsOf(table, { columns: 12 })).toEqual(['a: x|y', 'long words', '  here: 1']);
    expect(await rowsOf('| no table\n| at all')).toEqual(['| no table', '| at all']);
  });

  it('shows formulas as they are written', async () => {
    expect(await rowsOf('\\(a^2\\), $b$\n\\[\nc_1\n\\]\n')).toEqual([
      '\\(a^2\\), $b$',
      '─── formula',
      'c_1',
      '───',
    ]);
  });

  it.each([
    ['sequences', '\u001b[2J\u001b]0;owned\u0007\u009b5n', '␛[2J␛]0;owned␇<9B>5n'],
    ['in code', '`\u001b[31mred`', '␛[31mred'],
    ['turned round', 'a\u202eb\u2066c', 'a<202E>b<2066>c'],
    ['as entities', 'a&#27;[2J &#8238;x', 'a�[2J <202E>x'],
    ['carriage returns', 'safe\rover', 'safe␍over'],
    ['backspaces', 'ab\u0008\u007f', 'ab␈␡'],
  ])('shows what would move the terminal, and does not send it: %s', async (_what, text, shown) => {
    const { screen, written } = await show([
      text,
      '\n```js\n',
      text,
      '\n```\n| h |\n|--|\n| ',
      text,
      ' |\n\n[x](http://y/',
      text,
      ')',
    ]);
    expect(stripVTControlCharacters(written).replaceAll('\r', '')).not.toMatch(
      /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u,
    );
    // Of the sequences, only those of ours: a look, up, the beginning of a row, the rest of the screen.
    for (const [, sequence = ''] of written.matchAll(SEQUENCE))
      expect(sequence).toMatch(/^\[(?:[\d;]+m|\d+A|J)/);
    expect(screen.rows()[0]).toBe(shown);
  });
});

describe('a text that grows', () => {
  const LINES = [
    'words **bold words** and more of them that go on',
    '- item *x',
    '```js',
    'const a = 1; // c',
    '```',
    '| a | b |',
    '|---|---|',
    '| 1 | 2 |',
    '',
    '> quote',
    '# head',
    '日本語の文章、長い。',
    '👍🏽 thumbs',
    '    indented',
    '[a](http://b.c/d)',
    '$$',
    '**open',
    '1. one',
    'x'.repeat(70),
  ];
  const texts = fc
    .array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 12 })
    .map((lines) => lines.join('\n'));

  it('stands there at the end as if it had come at once, whatever its pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.constantFrom(20, 40, 80),
        async (text, steps, columns) => {
          const characters = Array.from(text);
          const pieces: string[] = [];
          for (let at = 0, step = 0; at < characters.length; step += 1) {
            const size = steps[step % steps.length] ?? 1;
            pieces.push(characters.slice(at, at + size).join(''));
            at += size;
          }
          const [grown, whole] = await Promise.all([show(pieces, { columns }), show([text], { columns })]);
          expect(grown.screen.text()).toBe(whole.screen.text());
        },
      ),
      { numRuns: 150 },
    );
  });

  it('draws nothing anew but the line that grows', async () => {
    const { written } = await show(['# One\n', 'two **bo', 'ld** three', '\n', 'four\n']);
    expect(written.split('\n').filter((line) => line.includes('One'))).toHaveLength(1);
    const [, , after = ''] = written.split('\n');
    expect(after).toBe('four');
  });

  it('loses no word of a line that is taller than the screen, or endless', async () => {
    const words = Array.from({ length: 3000 }, (_, index) => `w${index}`);
    const { screen } = await show(
      words.map((word) => `${word} `),
      { columns: 40, rows: 10 },
    );
    expect(screen.text().split(/\s+/)).toEqual(words);
    const endless = await show(
      Array.from({ length: 300 }, () => 'x'.repeat(100)),
      { columns: 40, rows: 10 },
    );
    expect(endless.screen.text().replaceAll('\n', '')).toBe('x'.repeat(30_000));
  });

  it('goes on after the window has another width, with nothing lost', async () => {
    for (const [from, to] of [
      [80, 40],
      [40, 80],
    ] as const) {
      const screen = createScreen(from);
      let columns = from;
      let written = '';
      const text = new LiveText({
        draw: (sequence) => void (written += sequence),
        size: () => ({ columns, rows: 24 }),
      });
      text.write('first line\nThe quick brown fox jumps over the lazy dog, and then it goes');
      await screen.write(written.replaceAll('\n', '\r\n'));
      columns = to;
      screen.resize(to, 24);
      written = '';
      text.write(' on to sleep in the sun.\nlast');
      text.end();
      await screen.write(written.replaceAll('\n', '\r\n'));
      const shown = screen.rows().join(' ').replaceAll(/ +/g, ' ');
      expect(shown).toMatch(/^first line The quick/);
      expect(shown).toContain(
        'The quick brown fox jumps over the lazy dog, and then it goes on to sleep in the sun. last',
      );
    }
  });
});
