// The folder of an agent: what is in it, before any of its tools is loaded.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { discoverGroup, type GroupOptions } from '../tools/groups/discover-groups.ts';
import type { ToolSource } from '../tools/tool.ts';
import { type ReadSkill, readSkill } from './skill.ts';
import { listSkillFiles } from './skill-files.ts';

export interface AgentFolder {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly skill: ReadSkill;
  /** Its own tools; null: none. */
  readonly group: ToolSource | null;
  /** Texts besides SKILL.md and its tools, as paths below the folder. */
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

/** What the tools of an agent count as: a group beside those of the tools folder. */
export function groupOf(agent: string): string {
  return `agents/${agent}`;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Where the original kept its chats. */
const CHATS = 'agent_chats';

/** All of them, sorted by name; a folder that is not there has none. @throws what the file system throws otherwise */
export async function readAgentFolders(
  folder: string,
  options: GroupOptions,
): Promise<readonly AgentFolder[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const candidates = names.filter((name) => !/^[._]/.test(name) && name !== CHATS).toSorted();
  const read = candidates.map((name) => readAgentFolder(join(folder, name), name, options));
  return (await Promise.all(read)).filter((found) => found !== null);
}

/** Null: it is no folder. */
async function readAgentFolder(
  path: string,
  name: string,
  options: GroupOptions,
): Promise<AgentFolder | null> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return null;
  if (!NAME.test(name)) {
    const problem = 'The name of its folder has to have 1 to 64 letters, digits, _ and -.';
    return { name, path, skill: { ok: false, problem }, group: null, files: [], warnings: [] };
  }
  const skill = await readSkill(join(path, 'SKILL.md'), name);
  const { group, places, warnings } = findTools(path, name, options);
  return { name, path, skill, group, files: await listSkillFiles(path, places), warnings };
}

/** In `tools/`, or in the folder itself. */
function findTools(path: string, agent: string, options: GroupOptions) {
  const find = (folder: string) =>
    discoverGroup({ folder, toolsFolder: path, group: groupOf(agent) }, options);
  const inner = find(join(path, 'tools'));
  const outer = find(path);
  const group = inner ?? outer;
  const warnings =
    inner !== null && outer !== null
      ? ['Its tools are those of tools/: those beside SKILL.md are not used.']
      : [];
  const places = { inner: inner !== null, outer: outer !== null };
  return { group: group && { ...group, agent }, places, warnings };
}
