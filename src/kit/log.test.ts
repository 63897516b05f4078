// What reaches a terminal through the log, seen on stderr of a process that logs.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const TEXT = 'a\u001b[2Jb\u009b2Jc\rd\\u001be "quoted"\nnext\tend';
const SHOWN = 'a␛[2Jb<9B>2Jc␍d\\u001be "quoted"\nnext\tend';

function stderrOf(format: string): string {
  const program = `
    import { createLog } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)};
    const log = createLog({ level: 'info', format: '${format}' });
    const text = ${JSON.stringify(TEXT)};
    log.warn({ err: new Error(text), said: text }, text);`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  expect([status, stderr.length > 0]).toEqual([0, true]);
  return stderr;
}

it('a line of JSON is still the JSON of the text, with controls shown', () => {
  const line = JSON.parse(stderrOf('json'));
  expect([line.msg, line.said, line.err.message]).toEqual([SHOWN, SHOWN, SHOWN]);
});

it.each(['json', 'pretty'])('%s: no control sequence is sent', (format) => {
  const text = stderrOf(format);
  expect(text).not.toMatch(/[^\P{Cc}\n\t]/u);
  expect(text).toContain('␛[2J');
});
