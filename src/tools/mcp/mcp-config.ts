// `mcp.json`: which MCP servers there are, as the operator wrote it; variables in it are not looked up yet.
import { readFile } from 'node:fs/promises';
import { ToolConfigError } from '../policy/tool-policy.ts';
import { lineAt, parseCommentedJson, plainJson } from './commented-json.ts';
import { FIELDS, isKnownField, isObject } from './mcp-fields.ts';

export interface McpServerConfig {
  readonly name: string;
  readonly transport: 'stdio' | 'http' | 'sse';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Null: the data folder. */
  readonly cwd: string | null;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isDisabled: boolean;
  /** Globs over the server's own names; null: all. */
  readonly enabledTools: readonly string[] | null;
  readonly disabledTools: readonly string[];
  /** What it says about its tools counts. */
  readonly isTrusted: boolean;
  readonly timeoutMs: number;
  readonly startupTimeoutMs: number;
  readonly protocol: 'auto' | '2025' | '2026';
  /** Keys that mean nothing here. */
  readonly unknownKeys: readonly string[];
}

export const MCP_FILE = 'mcp.json';
const NAME = /^(?!.*__)[A-Za-z0-9_-]{1,32}$/;
const DEFAULT_SECONDS = 60;

/** @throws ToolConfigError with every problem at once */
export async function readMcpConfig(
  path: string,
  mayBeMissing: boolean,
): Promise<readonly McpServerConfig[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && mayBeMissing) return [];
    throw new ToolConfigError([`${path} cannot be read (${code}).`], MCP_FILE);
  }
  return parseMcpConfig(text.replace(/^\uFEFF/, ''), path);
}

/** @throws ToolConfigError with every problem at once, each with its line */
export function parseMcpConfig(text: string, path: string): readonly McpServerConfig[] {
  const fail = (problems: readonly string[]) =>
    new ToolConfigError(
      problems.map((problem) => `${path}: ${problem}`),
      MCP_FILE,
    );
  let root: unknown;
  try {
    root = parseCommentedJson(text);
  } catch (error) {
    throw fail([error instanceof Error ? error.message : String(error)]);
  }
  if (!isObject(root)) throw fail(['line 1: it must hold an object with "mcpServers".']);
  const key = Object.hasOwn(root, 'mcpServers') ? 'mcpServers' : 'servers';
  const servers = root[key] ?? {};
  const start = placeOf(text, key, 0);
  if (!isObject(servers)) throw fail([`line ${lineAt(text, start)}: "${key}" must be an object of servers.`]);
  const problems: string[] = [];
  const configs = Object.entries(servers).map(([name, given]) => {
    const at = placeOf(text, name, start);
    const found = faultsOf(name, given);
    for (const { field, fault } of found) {
      const line = lineAt(text, field === null ? at : placeOf(text, field, at));
      problems.push(`line ${line}: server ${shown(name)}: ${fault}.`);
    }
    return found.length === 0 && isObject(given) ? toConfig(name, given) : null;
  });
  if (problems.length > 0) throw fail(problems);
  return configs.filter((config) => config !== null);
}

interface Fault {
  /** Null: the server itself. */
  readonly field: string | null;
  readonly fault: string;
}

function faultsOf(name: string, given: unknown): Fault[] {
  const whole = (fault: string): Fault => ({ field: null, fault });
  if (!NAME.test(name)) {
    return [whole('a name has 1 to 32 letters, digits, "_" and "-", and no "__"')];
  }
  if (!isObject(given)) return [whole('it must be an object')];
  const faults: Fault[] = Object.entries(FIELDS).flatMap(([field, { words, fits }]) =>
    Object.hasOwn(given, field) && !fits(given[field])
      ? [{ field, fault: `"${field}" must be ${words}` }]
      : [],
  );
  const hasCommand = Object.hasOwn(given, 'command');
  if (hasCommand === Object.hasOwn(given, 'url')) {
    faults.push(whole(hasCommand ? 'it has both "command" and "url"' : 'it needs "command" or "url"'));
  } else if (Object.hasOwn(given, 'type') && hasCommand !== (given['type'] === 'stdio')) {
    faults.push({ field: 'type', fault: `"type" does not go with "${hasCommand ? 'command' : 'url'}"` });
  }
  return faults;
}

/** Everything was checked. */
function toConfig(name: string, given: Readonly<Record<string, unknown>>): McpServerConfig {
  const value = <T>(field: string, otherwise: T): T => (given[field] as T | undefined) ?? otherwise;
  return {
    name,
    transport: Object.hasOwn(given, 'command') ? 'stdio' : given['type'] === 'sse' ? 'sse' : 'http',
    command: value('command', ''),
    args: value('args', []),
    env: value('env', {}),
    cwd: value('cwd', null),
    url: value('url', ''),
    headers: value('headers', {}),
    isDisabled: value('disabled', false) || !value('enabled', true),
    enabledTools: value('enabledTools', null),
    disabledTools: value('disabledTools', []),
    isTrusted: value('trusted', false),
    timeoutMs: value('timeoutSeconds', DEFAULT_SECONDS) * 1000,
    startupTimeoutMs: value('startupTimeoutSeconds', DEFAULT_SECONDS) * 1000,
    protocol: value('protocol', 'auto'),
    unknownKeys: Object.keys(given).filter((key) => !isKnownField(key)),
  };
}

/** Where a key stands, at or behind a place; there where none is found. */
function placeOf(text: string, key: string, from: number): number {
  const plain = plainJson(text);
  const quoted = JSON.stringify(key);
  for (let at = plain.indexOf(quoted, from); at >= 0; at = plain.indexOf(quoted, at + 1)) {
    if (/^\s*:/.test(plain.slice(at + quoted.length))) return at;
  }
  return from;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 60).toWellFormed());
}
