// (l) Export, import and backup of 100 000 messages, each by its command.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, temporaryFolder } from './processes.ts';
import { createProse } from './prose.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';

const MESSAGES_PER_SESSION = 20;

export async function measureTransfer({ server, isQuick, say }: BenchOptions): Promise<Findings> {
  const messages = isQuick ? 5000 : 100_000;
  const prose = createProse();
  const [dataDir, copies, emptyDir] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  await seed(dataDir, [
    {
      model: 'llama3.2:latest',
      sessions: messages / MESSAGES_PER_SESSION,
      messages: MESSAGES_PER_SESSION,
      hasTurns: false,
      write: () => prose.write(1000),
    },
  ]);
  say(`${number(messages, 0)} messages are there`);
  const run = (args: readonly string[], folder: string) =>
    timed([...commandOf(server), ...args, '--data-dir', folder]);
  const [lines, backup] = [join(copies, 'lines'), join(copies, 'backup.db')];
  const exported = await run(['export', lines], dataDir);
  const imported = await run(['import', lines], emptyDir);
  const saved = await run(['backup', backup], dataDir);
  const bytes = readdirSync(lines).reduce((sum, name) => sum + statSync(join(lines, name)).size, 0);
  const row = (name: string, ms: number, size: number) => [
    name,
    number(ms / 1000, 2),
    number(messages / (ms / 1000), 0),
    number(size / 1024 ** 2, 0),
  ];
  return {
    columns: ['', 'seconds', 'messages a second', 'MB'],
    rows: [
      row('export to JSONL', exported, bytes),
      row('import of it into an empty folder', imported, bytes),
      row('backup, verified', saved, statSync(backup).size),
    ],
    targets: [],
    notes: [`        ${number(messages, 0)} messages of a kilobyte in sessions of ${MESSAGES_PER_SESSION}`],
  };
}

/** Milliseconds of a whole process. @throws Error when it fails */
async function timed(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}`);
  return performance.now() - startedAt;
}
