// A folder of tools as a source of them.
import type {
  DescribedTool,
  ToolOutcome,
  ToolProblem,
  ToolSource,
  ToolSourceName,
  ToolSourceState,
} from '../tool.ts';
import type { GroupSettings } from './group-settings.ts';
import type { LoadedTool } from './protocol.ts';
import { failedBefore, runCall } from './run-call.ts';
import type { PooledGroup, WorkerPool } from './worker-pool.ts';
import type { LoadedGroup, WorkerProcess } from './worker-process.ts';

export interface ToolGroup {
  readonly name: ToolSourceName;
  readonly pooled: PooledGroup;
  readonly settings: GroupSettings;
  /** Of a call, where neither the tool nor the group says otherwise. */
  readonly timeoutMs: number;
  /** Found before it was loaded. */
  readonly problems: readonly string[];
}

interface ToolList {
  readonly tools: readonly DescribedTool[];
  readonly problems: readonly string[];
}

/** How long a call waits for a process. Milliseconds. */
const PLACE_LIMIT_MS = 30_000;

/** Calls under way are finished by `close`; no new ones begin. */
export function createGroupSource(group: ToolGroup, pool: WorkerPool): ToolSource {
  const { pooled, name } = group;
  let described: readonly DescribedTool[] = [];
  const problem = (message: string): ToolProblem => ({ source: `${name.kind}:${name.group}`, message });

  async function describe(): Promise<ToolSourceState> {
    const found = group.problems.map(problem);
    try {
      const worker = await pool.lend(pooled, new AbortController().signal, null);
      const { tools, problems } = readLoaded(await worker.loaded, group);
      pool.giveBack(worker);
      described = tools;
      return { tools, problems: [...found, ...problems.map(problem)] };
    } catch (error) {
      return { tools: [], problems: [...found, problem(messageOf(error))] };
    }
  }

  async function run(...[toolName, args, context]: Parameters<ToolSource['run']>): Promise<ToolOutcome> {
    let worker: WorkerProcess | null = null;
    try {
      worker = await pool.lend(pooled, context.signal, PLACE_LIMIT_MS);
      const named = ({ name }: DescribedTool) => name === toolName;
      const tool = described.find(named);
      const now = readLoaded(await worker.loaded, group).tools.find(named);
      // A later worker has read the files anew.
      if (tool === undefined || JSON.stringify(tool) !== JSON.stringify(now)) {
        return failedBefore(
          `The tool ${toolName} is not what it was when it was loaded; the tools have to be reloaded`,
        );
      }
      const timeoutMs = tool.timeoutMs ?? group.timeoutMs;
      return await runCall(worker, { tool: toolName, args, timeoutMs, readOnly: tool.readOnly }, context);
    } catch (error) {
      if (context.signal.aborted) return failedBefore('The call was cancelled before the tool began');
      return failedBefore(`The tool ${toolName} could not be started: ${messageOf(error)}`);
    } finally {
      if (worker !== null) pool.giveBack(worker);
    }
  }

  return { name, describe, run, close: () => pool.endGroup(pooled) };
}

/** What is wrong with the tools themselves, whoever uses them finds. */
function readLoaded(loaded: LoadedGroup, { settings }: ToolGroup): ToolList {
  const tools = loaded.tools.map((tool) => describeTool(tool, settings));
  const unknown = [...settings.readOnly, ...settings.repeatable].filter(
    (name) => !tools.some((tool) => tool.name === name),
  );
  const problems = unknown.map(
    (name) => `group.json names ${JSON.stringify(name)}, which is none of its tools`,
  );
  return { tools, problems: [...loaded.problems, ...problems] };
}

function describeTool(tool: LoadedTool, settings: GroupSettings): DescribedTool {
  const { timeoutSeconds, ...same } = tool;
  const seconds = timeoutSeconds ?? settings.timeoutSeconds;
  return {
    ...same,
    readOnly: tool.readOnly || settings.readOnly.includes(tool.name),
    repeatable: tool.repeatable || settings.repeatable.includes(tool.name),
    timeoutMs: seconds === null ? null : seconds * 1000,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
