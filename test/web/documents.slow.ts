// What models may write, thousands of it: every text is shown as it was meant, and nothing of it runs, loads or breaks the page.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HOSTILE } from './hostile.ts';
import { describePage, openedPage } from './opened-page.ts';

const world = openedPage();

/** Markdown, and what a reader sees of it, without blanks. */
interface Written {
  readonly source: string;
  readonly seen: string;
}

const WORDS = [
  'Redis',
  'port',
  'naïve',
  '日本語',
  '重要（注）',
  'مرحبا',
  'שלום',
  '👩‍👩‍👧',
  'a_b_c',
  '$5',
  '<b>',
  '&amp',
  'x<y',
  '1.5',
  "it's",
];
const word = fc.constantFrom(...WORDS);
const words = fc.array(word, { minLength: 1, maxLength: 8 }).map((all) => all.join(' '));
const plain = words.map((text): Written => ({ source: text, seen: text }));
const marked = fc
  .tuple(fc.constantFrom('**', '*', '~~', '`'), fc.constantFrom('bold', 'two words', 'größer', 'かな'))
  .map(([mark, text]): Written => ({ source: `${mark}${text}${mark}`, seen: text }));
const linked = fc
  .constantFrom('here', 'two words')
  .map((text): Written => ({ source: `[${text}](https://example.org/${text.length})`, seen: text }));
const line = fc
  .array(fc.oneof({ weight: 3, arbitrary: plain }, marked, linked), { minLength: 1, maxLength: 4 })
  .map((parts) => join(parts, ' '));
const lines = fc.array(line, { minLength: 1, maxLength: 3 });

/** Blocks that stand by themselves, an empty line after each. */
const block: fc.Arbitrary<Written> = fc.oneof(
  { weight: 3, arbitrary: lines.map((parts) => join(parts, '\n')) },
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), line)
    .map(([level, part]) => prefix(`${'#'.repeat(level)} `, part)),
  lines.map((parts) =>
    join(
      parts.map((part) => prefix('- ', part)),
      '\n',
    ),
  ),
  lines.map((parts) =>
    join(
      parts.map((part, at) => prefix(`${at + 1}. `, part)),
      '\n',
    ),
  ),
  lines.map((parts) =>
    join(
      parts.map((part) => prefix('> ', part)),
      '\n',
    ),
  ),
  fc
    .tuple(fc.constantFrom('', 'python', 'js', 'nonsense'), fc.array(words, { maxLength: 3 }))
    .map(([language, code]) => ({
      source: `\`\`\`${language}\n${code.join('\n')}\n\`\`\``,
      seen: code.join(''),
    })),
  fc.tuple(marked, marked).map(([left, right]) => ({
    source: `| a | b |\n|---|--:|\n| ${left.source} | ${right.source} |`,
    seen: `ab${left.seen}${right.seen}`,
  })),
  fc.constant({ source: '---', seen: '' }),
);
const document = fc.array(block, { minLength: 1, maxLength: 5 }).map((blocks) => join(blocks, '\n\n'));

function join(parts: readonly Written[], between: string): Written {
  return {
    source: parts.map(({ source }) => source).join(between),
    seen: parts.map(({ seen }) => seen).join(''),
  };
}

function prefix(mark: string, { source, seen }: Written): Written {
  return { source: mark + source, seen };
}

const DOCUMENTS = 2000;
/** Of one conversation: all of them are in the page at once. */
const TOGETHER = 50;

/** What stands in the rows, without what the page adds to code and links. */
const SEEN = `[...document.querySelectorAll('.row.answer .markdown')].map((row) => {
  const copy = row.cloneNode(true);
  for (const added of copy.querySelectorAll('figcaption, .host')) added.remove();
  return copy.textContent.replace(/\\s/g, '');
})`;

describePage('the page', () => {
  it(`shows ${DOCUMENTS} documents as they were meant, beside all that is hostile`, {
    timeout: 300_000,
  }, async () => {
    const seed = Number(process.env['MOCHI_FUZZ_SEED'] ?? Date.now());
    const all = fc.sample(document, { numRuns: DOCUMENTS, seed });
    const hostile = HOSTILE.map((source) => ({ source, seen: null }));
    await world.open();
    for (let from = 0; from < all.length; from += TOGETHER) {
      const shown = [...all.slice(from, from + TOGETHER), ...hostile];
      const id = await importAnswers(shown.map(({ source }) => source));
      await world.page.goto(`${world.server.url}/#/s/${id}`);
      await world.page.locator(`.row.answer >> nth=${shown.length - 1}`).waitFor();
      const seen = await world.page.evaluate<string[]>(SEEN);
      for (const [at, { seen: meant, source }] of shown.entries()) {
        if (meant === null) continue;
        expect(seen[at], `seed ${seed}, document ${from + at}:\n${source}`).toBe(meant.replaceAll(/\s/g, ''));
      }
      expect(
        await world.page.evaluate(
          'document.querySelectorAll("script:not([src]),iframe,form[action],style,base").length',
        ),
      ).toBe(0);
    }
  });
});

let batch = 0;

async function importAnswers(contents: readonly string[]): Promise<string> {
  batch += 1;
  const model = 'llama3.2:latest';
  const messages = contents.map((content, at) => ({
    role: 'assistant',
    content,
    model,
    message_id: `ab${String(batch).padStart(4, '0')}${String(at).padStart(4, '0')}`,
  }));
  const { body } = await world.server.post('/sessions/import', {
    metadata: { model, title: `Batch ${batch}` },
    messages,
  });
  return body.imported[0].session_id;
}
