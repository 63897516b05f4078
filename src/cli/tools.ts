// `mochi-server tools`: what there is and what cannot be used; and a run by hand.
import { isMochiError } from '../client/index.ts';
import { type Config, processEnvironment } from '../config.ts';
import { MochiError } from '../contract/errors.ts';
import { randomHex } from '../kit/ids.ts';
import { openTools } from '../tools/open-tools.ts';
import { sourceText } from '../tools/register-source.ts';
import { runByHand } from '../tools/run-by-hand.ts';
import type { Tools } from '../tools/tools.ts';
import { VERSION } from '../version.ts';
import { complain, EXIT_FAILURE, ExitError } from './command.ts';
import { asExit } from './explain-error.ts';
import { connectServer } from './server-client.ts';
import { say, sayTable } from './terminal.ts';

/** Of a description: a list is for finding a name. */
const MAX_DESCRIPTION = 80;

export async function listTools(config: Config): Promise<void> {
  await withTools(config, async (tools) => {
    const registry = tools.registry();
    const rows = [...registry.tools.values()].map((tool) => [
      tool.name,
      sourceText(tool.source.name),
      tools.denyRuleOf(tool.name) ?? '',
      shortened(tool.description),
    ]);
    if (rows.length === 0)
      say(
        `No tools. Each folder in ${config.toolsDir} with an __init__.py or an index.ts is a group of them.\n`,
      );
    else sayTable([['NAME', 'FROM', 'FORBIDDEN BY', 'DOES'], ...rows]);
    if (registry.problems.length > 0) say('\nProblems:\n');
    for (const { source, message } of registry.problems) say(`  ${source}: ${message}\n`);
  });
}

function shortened(description: string): string {
  const [line = ''] = description.split('\n');
  return line.length > MAX_DESCRIPTION ? `${line.slice(0, MAX_DESCRIPTION - 1)}…` : line;
}

export interface RunByName {
  readonly name: string;
  /** JSON. */
  readonly text: string;
}

/** Its result on stdout; what went wrong on stderr, with exit 1, or 2 where the command line can be mended. */
export async function runTool(config: Config, { name, text }: RunByName): Promise<void> {
  const run = { name, arguments: parseArguments(text) };
  const { success, result, error } = (await runInServer(config, run)) ?? (await runHere(config, run));
  if (success !== true) throw complain([String(error)], EXIT_FAILURE);
  const shown = String(result);
  say(shown.endsWith('\n') ? shown : `${shown}\n`);
}

function parseArguments(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw complain(['The arguments must be a JSON object such as \'{"a": 1, "b": 2}\', in quotes.']);
}

interface Run {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

interface RunEnd {
  readonly success?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** @returns null where no server runs */
async function runInServer(config: Config, { name, arguments: args }: Run): Promise<RunEnd | null> {
  try {
    return await connectServer(config).tools.run(name, { arguments: args });
  } catch (error) {
    if (!isMochiError(error)) throw error;
    if (error.status === null) return null;
    throw refused(error.code, error.message);
  }
}

async function runHere(config: Config, { name, arguments: args }: Run): Promise<RunEnd> {
  return withTools(config, async (tools) => {
    const tool = tools.registry().tools.get(name);
    if (tool === undefined) throw refused('tool_not_found', `There is no tool called ${name}.`);
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    try {
      const executionId = `exec_${randomHex(12)}`;
      const { signal } = stop;
      return await runByHand(tools, { tool, arguments: args, executionId, signal, journal: null });
    } catch (error) {
      throw error instanceof MochiError ? refused(error.code, error.message) : error;
    }
  });
}

/** A name or arguments can be mended on the command line; a rule, or a server that wants a key, cannot. */
function refused(code: string, message: string): ExitError {
  return code === 'tool_not_found' || code === 'validation_error'
    ? complain([message])
    : complain([message], EXIT_FAILURE);
}

/** With all tools found; their processes are gone afterwards. */
async function withTools<T>(config: Config, use: (tools: Tools) => Promise<T>): Promise<T> {
  let tools: Tools;
  try {
    tools = await openTools({ ...config, version: VERSION }, processEnvironment());
  } catch (error) {
    throw asExit(error, config);
  }
  try {
    await tools.ready();
    return await use(tools);
  } finally {
    await tools.close();
  }
}
