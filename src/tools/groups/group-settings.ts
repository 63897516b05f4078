// `group.json` of a folder of tools: limits and rights of its workers. All of it optional; what is not understood is
// refused, since a limit that is silently not there is a trap.
import { readFileSync } from 'node:fs';

export interface GroupPermissions {
  /** Paths, relative to the working folder. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Other programs may be started. */
  readonly run: boolean;
}

export interface GroupSettings {
  /** Names of variables that its workers see. */
  readonly env: readonly string[];
  /** Null: the server's. */
  readonly timeoutSeconds: number | null;
  readonly maxWorkers: number;
  /** Null: the server's. */
  readonly memoryMb: number | null;
  readonly readOnly: readonly string[];
  readonly repeatable: readonly string[];
  readonly permissions: GroupPermissions | null;
}

const DEFAULT_MAX_WORKERS = 4;
/** Below this Node itself hardly fits. */
const LEAST_MEMORY_MB = 128;

/** What a value has to be, in words, and whether it is. */
type Rule = readonly [words: string, fits: (value: unknown) => boolean];

const NAMES: Rule = [
  'a list of texts',
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
];

const RULES: Readonly<Record<string, Rule>> = {
  env: NAMES,
  timeout_seconds: ['a number from 0.1 to 86400', (value) => isWithin(value, 0.1, 86_400)],
  max_workers: ['a whole number from 1 to 64', (value) => Number.isInteger(value) && isWithin(value, 1, 64)],
  memory_mb: [
    `a whole number from ${LEAST_MEMORY_MB} to 1048576`,
    (value) => Number.isInteger(value) && isWithin(value, LEAST_MEMORY_MB, 1_048_576),
  ],
  read_only: NAMES,
  repeatable: NAMES,
  permissions: ['an object with "read", "write" and "run"', isPermissions],
};

/** @throws Error with what is wrong, in words */
export function readGroupSettings(path: string): GroupSettings {
  const given = readObject(path);
  for (const [key, value] of Object.entries(given)) {
    const rule = RULES[key];
    if (rule === undefined) {
      throw new Error(`group.json: "${key}" is not known; known are ${Object.keys(RULES).join(', ')}`);
    }
    if (!rule[1](value)) throw new Error(`group.json: "${key}" has to be ${rule[0]}`);
  }
  const names = (key: string) => (given[key] ?? []) as readonly string[];
  const permissions = given['permissions'] as Partial<GroupPermissions> | undefined;
  return {
    env: names('env'),
    timeoutSeconds: (given['timeout_seconds'] as number | undefined) ?? null,
    maxWorkers: (given['max_workers'] as number | undefined) ?? DEFAULT_MAX_WORKERS,
    memoryMb: (given['memory_mb'] as number | undefined) ?? null,
    readOnly: names('read_only'),
    repeatable: names('repeatable'),
    permissions: permissions === undefined ? null : { read: [], write: [], run: false, ...permissions },
  };
}

function readObject(path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new Error(`group.json cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('group.json has to hold an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

function isPermissions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([key, part]) => {
    if (key === 'run') return typeof part === 'boolean';
    return (key === 'read' || key === 'write') && NAMES[1](part);
  });
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}
