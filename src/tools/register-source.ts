// What one source describes, made into tools of the registry: each by itself, so that a broken one hides no other.
import { setImmediate } from 'node:timers/promises';
import { compileSchema, schemaFault } from '../kit/compile-schema.ts';
import { digestOf } from '../kit/digest.ts';
import type { RegisteredTool } from './registered-tool.ts';
import { flatSchema } from './schema/flat-schema.ts';
import type { DescribedTool, ToolProblem, ToolSource, ToolSourceName } from './tool.ts';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const AGENT_PREFIX = 'agent__';
/** Of an agent: made by us, not by its folder. */
export const READ_SKILL_FILE = 'read_skill_file';
/** Of one source. */
const MAX_TOOLS = 200;
/** Of a schema as JSON text. */
const MAX_SCHEMA_BYTES = 64 * 1024;
/** Schemas are compiled on this thread: others have a turn after so many. */
const TOOLS_AT_ONCE = 4;

/** A source and what came of it. */
export interface RegisteredSource {
  readonly source: ToolSource;
  readonly tools: readonly RegisteredTool[];
  readonly problems: readonly ToolProblem[];
}

/** `python:weather` */
export function sourceText({ kind, group }: ToolSourceName): string {
  return `${kind}:${group}`;
}

/** Never throws. */
export async function registerSource(source: ToolSource): Promise<RegisteredSource> {
  const name = sourceText(source.name);
  const { tools: described, problems } = await describe(source);
  if (described.length > MAX_TOOLS) {
    const message = `It has ${described.length} tools; a group may have ${MAX_TOOLS}. None of them is used.`;
    return { source, tools: [], problems: [...problems, { source: name, message }] };
  }
  const tools: RegisteredTool[] = [];
  const refused: ToolProblem[] = [];
  for (const [index, tool] of described.entries()) {
    try {
      tools.push(registerTool(source, tool));
    } catch (error) {
      const message = `Tool ${shownName(tool.name)} is not used. ${refusalText(error)}`;
      refused.push({ source: name, message });
    }
    if (index % TOOLS_AT_ONCE === TOOLS_AT_ONCE - 1) await setImmediate();
  }
  return { source, tools, problems: [...problems, ...refused] };
}

class RefusedToolError extends Error {
  override readonly name = 'RefusedToolError';
}

/** A source never throws, and one that does hides nobody. */
async function describe(source: ToolSource) {
  try {
    return await source.describe();
  } catch (error) {
    const message = `It could not be read: ${error instanceof Error ? error.message : String(error)}`;
    return { tools: [], problems: [{ source: sourceText(source.name), message }] };
  }
}

/** Why a tool cannot be used, for people. @param error what `registerTool` threw */
export function refusalText(error: unknown): string {
  return error instanceof RefusedToolError ? error.message : `Its schema: ${schemaFault(error)}.`;
}

/** @throws RefusedToolError, or what `compileSchema` throws */
export function registerTool(source: ToolSource, tool: DescribedTool): RegisteredTool {
  const fault = nameFault(tool, source);
  if (fault !== null) throw new RefusedToolError(fault);
  const validate = compileSchema(withinSize(tool.inputSchema), { tellsAll: true });
  return toRegistered(source, tool, { validate, parameters: withinSize(flatSchema(tool.inputSchema)) });
}

/** Whatever it is: a schema that cannot be read is handed on as it is, and nothing is checked by it. Never throws. */
export function registerUnchecked(source: ToolSource, tool: DescribedTool): RegisteredTool {
  try {
    const validate = compileSchema(tool.inputSchema, { tellsAll: true });
    return toRegistered(source, tool, { validate, parameters: flatSchema(tool.inputSchema) });
  } catch {
    const validate = compileSchema({});
    return toRegistered(source, tool, { validate, parameters: tool.inputSchema });
  }
}

function toRegistered(
  source: ToolSource,
  tool: DescribedTool,
  read: Pick<RegisteredTool, 'validate' | 'parameters'>,
): RegisteredTool {
  return {
    ...tool,
    ...read,
    policyName: policyNameOf(tool.name, source.agent ?? null),
    fingerprint: digestOf({
      source: sourceText(source.name),
      name: tool.name,
      description: tool.description,
      input_schema: tool.inputSchema,
    }),
    source,
  };
}

function withinSize<T>(schema: T): T {
  if (Buffer.byteLength(JSON.stringify(schema)) <= MAX_SCHEMA_BYTES) return schema;
  throw new RefusedToolError(`Its schema is over ${MAX_SCHEMA_BYTES / 1024} kB.`);
}

function policyNameOf(name: string, agent: string | null): string {
  return agent === null ? name : `${AGENT_PREFIX}${agent}__${name}`;
}

function nameFault(
  { name, asksNobody = false }: DescribedTool,
  { name: { kind, group }, agent = null }: ToolSource,
): string | null {
  if (!NAME.test(name)) return 'A name has 1 to 64 letters, digits, _ and -.';
  if (name === 'agent' || name.startsWith(AGENT_PREFIX)) return 'This name is kept for agents.';
  if (agent !== null && name === READ_SKILL_FILE && !asksNobody) {
    return 'This name is kept for the tool that reads the files of the agent.';
  }
  if (kind === 'mcp' ? name.startsWith(`mcp__${group}__`) : !name.startsWith('mcp__')) return null;
  return kind === 'mcp'
    ? `Its name must begin with mcp__${group}__.`
    : 'Names that begin with mcp__ are kept for the tools of MCP servers.';
}

function shownName(name: unknown): string {
  return JSON.stringify(String(name).slice(0, 80).toWellFormed());
}
