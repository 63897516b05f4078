// The source of `read_skill_file`: the texts of an agent's folder, read by us and never asked about, since they are the
// operator's own.
import { READ_SKILL_FILE } from '../tools/register-source.ts';
import type { DescribedTool, ToolOutcome, ToolSource } from '../tools/tool.ts';
import { type AgentFolder, groupOf } from './folder.ts';
import { readSkillFile, SkillFileFault } from './skill-files.ts';

/** Named in the description; the rest is found through the texts. */
const MAX_NAMED = 30;

/** @param pageCharacters of one read */
export function createSkillSource(
  { name, path: folder, files }: AgentFolder,
  pageCharacters: number,
): ToolSource {
  return {
    name: { kind: 'builtin', group: groupOf(name) },
    agent: name,
    describe: async () => ({ tools: files.length === 0 ? [] : [describeTool(files)], problems: [] }),
    async run(_tool, { path, offset = 0 }) {
      try {
        const page = { offset: Number(offset), characters: pageCharacters };
        return outcome('succeeded', await readSkillFile(folder, String(path), page));
      } catch (error) {
        if (error instanceof SkillFileFault) return outcome('failed', `${error.message}.${filesText(files)}`);
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
        return outcome('failed', `The file cannot be read (${code}).`);
      }
    },
    close: async () => undefined,
  };
}

function describeTool(files: readonly string[]): DescribedTool {
  return {
    name: READ_SKILL_FILE,
    description: `Read a text file of this skill.${filesText(files)}`,
    inputSchema: {
      type: 'object',
      required: ['path'],
      properties: {
        path: { type: 'string', description: 'Path of the file, as it is named here or in the instructions' },
        offset: { type: 'integer', minimum: 0, description: 'Bytes to skip: where the last read ended' },
      },
      additionalProperties: false,
    },
    readOnly: true,
    repeatable: false,
    needsApproval: false,
    asksNobody: true,
    timeoutMs: null,
  };
}

function filesText(files: readonly string[]): string {
  const more = files.length - MAX_NAMED;
  return ` Files: ${files.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

function outcome(state: ToolOutcome['state'], text: string): ToolOutcome {
  return { state, text, truncated: false, images: [], log: null };
}
