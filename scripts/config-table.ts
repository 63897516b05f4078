// The table of settings for the README: printed, or with --write FILE put into it, or with --check FILE compared.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { flagUsage, shownDefault, variableName } from '../src/config/setting-names.ts';
import { settings } from '../src/config/settings.ts';

const { values } = parseArgs({ options: { write: { type: 'string' }, check: { type: 'string' } } });
const table = configTable();
if (values.write !== undefined) {
  writeFileSync(values.write, withTable(values.write));
} else if (values.check === undefined) {
  console.log(table);
} else if (withTable(values.check) !== readFileSync(values.check, 'utf8')) {
  console.error(`${values.check} is out of date: run scripts/config-table.ts --write ${values.check}`);
  process.exitCode = 1;
}

function configTable(): string {
  const rows = Object.entries(settings).map(([key, setting]) => [
    code(variableName(key)),
    code(flagUsage(key, setting)),
    code(shownDefault(setting)),
    setting.description,
  ]);
  return [['Variable', 'Flag', 'Default', 'Meaning'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function code(text: string | undefined): string {
  return text === undefined ? '–' : `\`${text}\``;
}

function withTable(file: string): string {
  const [before, rest, ...more] = readFileSync(file, 'utf8').split('<!-- config:start -->');
  const [, after, ...evenMore] = rest?.split('<!-- config:end -->') ?? [];
  if (before === undefined || after === undefined || more.length + evenMore.length > 0) {
    throw new Error(`${file} needs <!-- config:start --> and, after it, <!-- config:end -->, once each.`);
  }
  return `${before}<!-- config:start -->\n\n${table}\n\n<!-- config:end -->${after}`;
}
