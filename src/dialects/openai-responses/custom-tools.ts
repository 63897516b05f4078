// Tools that are no plain functions: one that takes a text, and a namespace of functions. Models are offered functions.
import { invalidField } from '../../contract/errors.ts';
import { isObject, type JsonObject, readText } from '../read-content.ts';
import type { GivenTool } from '../settings.ts';

/** How calls of offered functions are told as calls of the tools that they stand for. */
export interface CustomTools {
  isCustom(name: string): boolean;
  /** What a custom tool is called with. */
  inputOf(given: Readonly<Record<string, unknown>>): string;
  /** Namespace, if any, and name within it. */
  membersOf(name: string): readonly [string | null, string];
}

const TEXT_INPUT = {
  type: 'object',
  properties: { input: { type: 'string', description: 'What the tool is given, as it is.' } },
  required: ['input'],
};

export function readCustomTools(tools: readonly JsonObject[]): CustomTools {
  const custom = new Set(tools.filter(({ type }) => type === 'custom').map(({ name }) => name));
  const members = new Map<string, readonly [string, string]>(
    tools.flatMap((tool) =>
      membersIn(tool).map(
        ({ name }) =>
          [`${String(tool['name'])}.${String(name)}`, [String(tool['name']), String(name)]] as const,
      ),
    ),
  );
  return {
    isCustom: (name) => custom.has(name),
    inputOf: (given) => (typeof given['input'] === 'string' ? given['input'] : JSON.stringify(given)),
    membersOf: (name) => members.get(name) ?? [null, name],
  };
}

function membersIn(tool: JsonObject): readonly JsonObject[] {
  if (tool['type'] !== 'namespace' || !Array.isArray(tool['tools'])) return [];
  return tool['tools'].filter(
    (member): member is JsonObject => isObject(member) && member['type'] === 'function',
  );
}

/** The functions that a model is offered. Hosted tools are none of them. @throws MochiError validation_error */
export function readOffered(tools: readonly JsonObject[]): GivenTool[] {
  return tools.flatMap((tool, index): GivenTool[] => {
    const path = `/tools/${index}`;
    switch (tool['type']) {
      case 'function':
        return [readFunction(tool, path)];
      case 'custom': {
        const name = readText(tool['name'], `${path}/name`);
        const description = readText(tool['description'], `${path}/description`);
        return [{ name, description, schema: TEXT_INPUT, path }];
      }
      case 'namespace':
        return membersIn(tool).map((member, at) => {
          const { name, ...offered } = readFunction(member, `${path}/tools/${at}`);
          return { ...offered, name: `${readText(tool['name'], `${path}/name`)}.${name}` };
        });
      default:
        return [];
    }
  });
}

function readFunction(tool: JsonObject, path: string): GivenTool {
  const { parameters } = tool;
  if (parameters != null && !isObject(parameters)) {
    throw invalidField(`${path}/parameters`, 'must be a JSON Schema of an object');
  }
  return {
    name: readText(tool['name'], `${path}/name`),
    description: readText(tool['description'], `${path}/description`),
    schema: parameters,
    path,
  };
}

/** Tools as a response says them back: functions with every field, null where it was not given. */
export function echoTools(tools: readonly JsonObject[]): JsonObject[] {
  return tools.map((tool) => {
    if (tool['type'] !== 'function') return tool;
    const { description = null, parameters = null, strict = null } = tool;
    return { ...tool, description, parameters, strict };
  });
}
