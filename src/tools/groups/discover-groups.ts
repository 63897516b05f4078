// The folders of tools: which of them are groups, of which kind, and what each is started with.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ToolSource, ToolSourceName } from '../tool.ts';
import { buildEnvironment, type Environment } from './environment.ts';
import { readGroupSettings } from './group-settings.ts';
import { createGroupSource } from './group-source.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface GroupOptions {
  readonly pool: WorkerPool;
  /** The command of Python. */
  readonly python: string;
  /** Where tools run. Absolute; there already. */
  readonly workingFolder: string;
  /** Of the server: workers see a short list of it. */
  readonly environment: Environment;
  /** Further names of that list. */
  readonly environmentNames: readonly string[];
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly maxOutputBytes: number;
}

interface FoundGroup {
  readonly name: ToolSourceName;
  readonly folder: string;
  readonly entry: string;
  readonly problems: readonly string[];
}

const PYTHON_ENTRY = '__init__.py';
/** The first that is there. */
const NATIVE_ENTRIES = ['index.mts', 'index.mjs', 'index.ts', 'index.js'];
const NO_ENTRY = `it has none of ${[PYTHON_ENTRY, ...NATIVE_ENTRIES.slice(0, -1)].join(', ')} and ${NATIVE_ENTRIES.at(-1)}, with which a group begins`;

/**
 * The groups of a folder, sorted by name; none of them is loaded yet. A folder that is not there has none. Never throws:
 * what cannot be read, or does not begin as a group does, is a source with a problem.
 * @param folder absolute
 */
export function discoverGroups(folder: string, options: GroupOptions): readonly ToolSource[] {
  try {
    return findSources(folder, options);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    return [createBrokenSource({ kind: 'native', group: basename(folder) }, error)];
  }
}

export interface GroupPlace {
  /** Where its entry and `group.json` are. Absolute. */
  readonly folder: string;
  /** What it may import and read besides: itself or a folder above it. Absolute. */
  readonly toolsFolder: string;
  /** What it is called. */
  readonly group: string;
}

/** The group that a folder itself is; null: it has no entry of one. Never throws, as above. */
export function discoverGroup(
  { folder, toolsFolder, group }: GroupPlace,
  options: GroupOptions,
): ToolSource | null {
  const found = findEntry(folder);
  return found && openGroup({ ...found, name: { ...found.name, group } }, toolsFolder, options);
}

function findSources(folder: string, options: GroupOptions): readonly ToolSource[] {
  const found = readdirSync(folder)
    .filter((name) => !/^[._]|^node_modules$/.test(name) && isFolder(join(folder, name)))
    .sort()
    .map((group) => ({ group, entry: findEntry(join(folder, group)) }));
  const root = join(folder, PYTHON_ENTRY);
  const name = { kind: 'python', group: basename(folder) } as const;
  // Of one that is a package itself, folders without an entry are parts.
  const isPackage = existsSync(root);
  const own = isPackage ? [openGroup({ name, folder, entry: root, problems: [] }, folder, options)] : [];
  return [
    ...own,
    ...found.flatMap(({ group, entry }) => {
      if (entry !== null) return openGroup(entry, folder, options);
      return isPackage ? [] : createBrokenSource({ kind: 'native', group }, NO_ENTRY);
    }),
  ];
}

function findEntry(folder: string): FoundGroup | null {
  const group = basename(folder);
  const native = NATIVE_ENTRIES.map((name) => join(folder, name)).find((path) => existsSync(path));
  const python = join(folder, PYTHON_ENTRY);
  if (existsSync(python)) {
    const problems =
      native === undefined ? [] : [`${basename(native)} is not used: ${PYTHON_ENTRY} stands beside it`];
    return { name: { kind: 'python', group }, folder, entry: python, problems };
  }
  return native === undefined
    ? null
    : { name: { kind: 'native', group }, folder, entry: native, problems: [] };
}

function openGroup(found: FoundGroup, toolsFolder: string, options: GroupOptions): ToolSource {
  const { name, entry, problems } = found;
  try {
    const settings = readGroupSettings(join(found.folder, 'group.json'));
    const names = [...options.environmentNames, ...settings.env];
    const launch = {
      kind: name.kind === 'python' ? 'python' : 'native',
      setup: { entry, toolsFolder, group: basename(found.folder), maxOutputBytes: options.maxOutputBytes },
      python: options.python,
      workingFolder: options.workingFolder,
      environment: buildEnvironment(options.environment, names),
      memoryMb: settings.memoryMb ?? options.memoryMb,
      permissions: settings.permissions,
    } as const;
    const unused = launch.kind === 'python' && settings.permissions !== null;
    const more = unused ? ['group.json: "permissions" bind only groups of TypeScript and JavaScript'] : [];
    const pooled = { launch, maxWorkers: settings.maxWorkers };
    const group = { name, pooled, settings, timeoutMs: options.timeoutMs, problems: [...problems, ...more] };
    return createGroupSource(group, options.pool);
  } catch (error) {
    return createBrokenSource(name, error);
  }
}

function createBrokenSource(name: ToolSourceName, error: unknown): ToolSource {
  const message = error instanceof Error ? error.message : String(error);
  return {
    name,
    describe: async () => ({ tools: [], problems: [{ source: `${name.kind}:${name.group}`, message }] }),
    run: async () => ({ state: 'failed', text: message, truncated: false, images: [], log: null }),
    close: async () => undefined,
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
