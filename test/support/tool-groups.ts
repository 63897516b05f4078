// Folders of tools, and their real workers.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { discoverGroups, type GroupOptions } from '../../src/tools/groups/discover-groups.ts';
import { startKeeper } from '../../src/tools/groups/keeper.ts';
import { createWorkerPool, type WorkerPoolOptions } from '../../src/tools/groups/worker-pool.ts';
import type { ToolOutcome, ToolRunContext, ToolSource, ToolSourceState } from '../../src/tools/tool.ts';

/** Commands of Python on this machine: the usual one, and those that `MOCHI_TEST_PYTHONS` names. */
export const PYTHONS = ['python3', ...(process.env['MOCHI_TEST_PYTHONS'] ?? '').split(',')].filter(
  (command) => command !== '' && spawnSync(command, ['--version']).status === 0,
);
export const HAS_PYTHON = PYTHONS.includes('python3');

export interface ToolWorld {
  /** The tools folder. */
  readonly folder: string;
  /** Where tools run. */
  readonly workingFolder: string;
  readonly sources: readonly ToolSource[];
  source(group: string): ToolSource;
  describe(group: string): Promise<ToolSourceState>;
  run(group: string, tool: string, args?: object, context?: Partial<ToolRunContext>): Promise<ToolOutcome>;
  /** Looks at the folder anew. */
  discover(): void;
  discoverIn(folder: string): readonly ToolSource[];
  close(): Promise<void>;
}

type Options = Partial<Omit<GroupOptions, 'pool'> & Omit<WorkerPoolOptions, 'keeper'>>;

/** @param files paths below the tools folder, and their text */
export function openToolWorld(files: Readonly<Record<string, string>>, options: Options = {}): ToolWorld {
  const root = mkdtempSync(join(tmpdir(), 'mochi-tools-'));
  const folder = join(root, 'tools');
  const workingFolder = join(root, 'data');
  mkdirSync(folder);
  mkdirSync(workingFolder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const keeper = startKeeper();
  const { maxProcesses = 4, spareIdleMs = 60_000, lastIdleMs = 600_000, ...rest } = options;
  const pool = createWorkerPool({ keeper, maxProcesses, spareIdleMs, lastIdleMs });
  const groupOptions: GroupOptions = {
    pool,
    python: 'python3',
    workingFolder,
    environment: process.env,
    environmentNames: [],
    timeoutMs: 15_000,
    memoryMb: 512,
    maxOutputBytes: 1024 * 1024,
    ...rest,
  };
  let sources = discoverGroups(folder, groupOptions);
  const source = (group: string) => {
    const found = sources.find(({ name }) => name.group === group);
    if (found === undefined) throw new Error(`no group ${group}`);
    return found;
  };
  return {
    folder,
    workingFolder,
    get sources() {
      return sources;
    },
    source,
    describe: (group) => source(group).describe(),
    run: (group, tool, args = {}, context = {}) =>
      source(group).run(tool, args as Record<string, unknown>, { ...CONTEXT, ...context }),
    discover() {
      sources = discoverGroups(folder, groupOptions);
    },
    discoverIn: (other) => discoverGroups(other, groupOptions),
    async close() {
      await pool.close();
      await keeper.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const CONTEXT: ToolRunContext = {
  sessionId: 'session',
  turnId: 'turn',
  toolCallId: 'call',
  executionId: 'exec_000000000001',
  attempt: 1,
  idempotencyKey: 'key',
  signal: new AbortController().signal,
  onProgress: () => undefined,
};

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Until it is true; a test's own time limit ends it. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 20));
}
