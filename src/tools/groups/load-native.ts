// The exports of a native module that are tools: what `defineTool` makes, what `tool()` of the AI SDK makes, and anything
// of that shape.
import { pathToFileURL } from 'node:url';
import { type ReadSchema, readSchema } from './native-schema.ts';
import type { LoadedTool } from './protocol.ts';

export interface NativeTool {
  /** Returns what the tool is called with. @throws Error in words for the model */
  validate: ReadSchema['validate'];
  execute(input: unknown, context: unknown): unknown;
}

export interface LoadedModule {
  readonly tools: ReadonlyMap<string, NativeTool>;
  readonly described: readonly LoadedTool[];
  readonly problems: readonly string[];
}

type Exported = Readonly<Record<string, unknown>> & {
  readonly description: string;
  execute(input: unknown, context: unknown): unknown;
};

/** @throws what the module throws */
export async function loadModule(path: string): Promise<LoadedModule> {
  const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  const tools = new Map<string, NativeTool>();
  const described: LoadedTool[] = [];
  const problems: string[] = [];
  for (const [exportName, tool] of listTools(module)) {
    const name = typeof tool['name'] === 'string' ? tool['name'] : exportName;
    try {
      const schema = await readSchema(tool['inputSchema'] ?? tool['parameters']);
      described.push(describe(name, tool, schema));
      // Of two with one name, the first counts.
      if (!tools.has(name)) {
        tools.set(name, {
          validate: schema.validate,
          execute: (input, context) => tool.execute(input, context),
        });
      }
    } catch (error) {
      problems.push(
        `the tool ${name} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return { tools, described, problems };
}

function describe(name: string, tool: Exported, schema: ReadSchema): LoadedTool {
  const seconds = tool['timeoutSeconds'];
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0)) {
    throw new Error('its timeoutSeconds is no positive number');
  }
  return {
    name,
    description: tool.description,
    inputSchema: schema.json,
    readOnly: tool['readOnly'] === true,
    repeatable: tool['repeatable'] === true,
    // A function that decides case by case: a person may as well be asked each time.
    needsApproval: tool['needsApproval'] === true || typeof tool['needsApproval'] === 'function',
    timeoutSeconds: seconds ?? null,
  };
}

/** Exports in their order; what `export default { … }` and `module.exports` hold, too; each tool once. */
function listTools(module: Readonly<Record<string, unknown>>): readonly (readonly [string, Exported])[] {
  const { default: standard, ...named } = module;
  const inner = typeof standard === 'object' && standard !== null ? standard : {};
  const candidates: [string, unknown][] = [
    ...Object.entries(named),
    ...(isTool(standard) ? [['default', standard] as [string, unknown]] : Object.entries(inner)),
  ];
  const seen = new Set<unknown>();
  const tools: [string, Exported][] = [];
  for (const [name, value] of candidates) {
    if (isTool(value) && !seen.has(value)) tools.push([name, value]);
    seen.add(value);
  }
  return tools;
}

function isTool(value: unknown): value is Exported {
  if (typeof value !== 'object' || value === null) return false;
  const tool = value as Readonly<Record<string, unknown>>;
  return typeof tool['description'] === 'string' && typeof tool['execute'] === 'function';
}
