// (p) The start with twenty groups of tools beside one without any: they are looked for in the background.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPlain } from './load-client.ts';
import { startServer, temporaryFolder } from './processes.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { median, range } from './statistics.ts';

const GROUPS = 20;
const MOST_LATER_MS = 600;
/** Nobody listens there: the server starts without an engine. */
const NO_OLLAMA = 'http://127.0.0.1:9';

interface Start {
  readonly readyMs: number;
  /** From the spawn until all tools can be listed. */
  readonly foundMs: number;
}

export async function measureToolGroups(options: BenchOptions): Promise<Findings> {
  const spawns = options.isQuick ? 3 : 9;
  const plain = temporaryFolder();
  const full = temporaryFolder();
  for (let group = 0; group < GROUPS; group += 1) {
    const folder = join(full, 'tools', `group_${group}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'index.mts'),
      `export const tool_${group} = { description: 'Answers.', execute: (): string => 'yes' };`,
    );
  }
  const starts: { plain: Start[]; full: Start[] } = { plain: [], full: [] };
  for (let spawned = -1; spawned < spawns; spawned += 1) {
    const [without, withGroups] = [
      await startOnce(options, plain, 0),
      await startOnce(options, full, GROUPS),
    ];
    // The first one makes the databases.
    if (spawned < 0) continue;
    starts.plain.push(without);
    starts.full.push(withGroups);
  }
  const later = starts.full.map(
    ({ readyMs }, index) => readyMs - (starts.plain[index]?.readyMs ?? Number.NaN),
  );
  const row = (name: string, all: readonly Start[]) => [
    name,
    number(median(all.map(({ readyMs }) => readyMs)), 0),
    number(median(all.map(({ foundMs }) => foundMs)), 0),
  ];
  return {
    columns: ['groups', 'ready line ms', 'all tools listed ms'],
    rows: [row('none', starts.plain), row(String(GROUPS), starts.full)],
    targets: [
      {
        name: `ready line with ${GROUPS} groups, later than with none, median`,
        reached: median(later),
        limit: MOST_LATER_MS,
        bound: 'at most',
        unit: ' ms',
        note: `${spawns} spawns each, in turn: ${range(later, (value) => number(value, 0))} ms`,
      },
    ],
    notes: ['        groups in TypeScript, each in a process of its own, 16 of them at once'],
  };
}

async function startOnce({ server: kind }: BenchOptions, dataDir: string, groups: number): Promise<Start> {
  const server = await startServer({ kind, dataDir, ollamaUrl: NO_OLLAMA });
  // Waits until they are found, ten seconds at most.
  const { body } = await readPlain({ url: `${server.url}/api/v1/tools` });
  const foundMs = performance.now() - server.spawnedAt;
  const { tools } = JSON.parse(body.toString()) as { tools: object };
  const found = Object.keys(tools).length;
  if (found !== groups) throw new Error(`${found} of ${groups} groups were found within ten seconds`);
  await server.stop();
  return { readyMs: server.readyMs, foundMs };
}
