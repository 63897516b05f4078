import { expect, test } from 'vitest';
import { pageText } from './page-text.ts';

const read = (html: string) =>
  pageText(html, { url: new URL('https://site.example/a/b'), signal: new AbortController().signal });

test('a page becomes its text, its links at the end', async () => {
  const html = `<!doctype html><html><head><title>The &amp; page</title><style>p{}</style></head><body>
    <script>alert('no')</script><h1>Head
    line</h1><p>One <b>bold</b>
    word.</p><p>Two<br>lines</p><ul><li>first<li><a href="../c?x=1#y">second</a></ul>
    <table><tr><th>a<th>b<tr><td>1<td>2</table><pre>  kept
   as is</pre><a href="javascript:alert(1)">js</a> <a href="mailto:x@y.z">mail</a><a href="#top">top</a></body>`;
  expect(await read(html)).toBe(
    [
      'The & page',
      '',
      '# Head line',
      '',
      'One bold word.',
      '',
      'Two',
      'lines',
      '- first',
      '- second',
      'a | b',
      '1 | 2',
      '  kept',
      '   as is',
      'js mailtop',
      '',
      'Links:',
      '- second: https://site.example/c?x=1#y',
    ].join('\n'),
  );
});

test.each([
  ['depth without end', '<div>'.repeat(400_000)],
  ['closing tags that close nothing', `${'<div>'.repeat(900)}${'</x></p>'.repeat(200_000)}`],
  ['one long line', '<b>x</b> '.repeat(200_000)],
  ['lines of a block that is kept', `<pre>${'\n'.repeat(1_000_000)}`],
  ['links', '<a href="/x">y</a>'.repeat(100_000)],
  ['a tag that does not end', `<a ${'b="'.repeat(500_000)}`],
  // Work that grows with the square of the length would not end within the time of a test.
])('%s is read', async (_what, html) => {
  expect(typeof (await read(html))).toBe('string');
});
