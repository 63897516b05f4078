// SKILL.md, the format of Agent Skills, read leniently: what it says, or why it says nothing.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type FrontValue, parseFrontMatter } from './front-matter.ts';
import { type AgentRunSettings, readRunSettings } from './run-settings.ts';

export interface Skill {
  readonly description: string;
  /** Null: the model of whoever calls it. */
  readonly model: string | null;
  /** Names, globs and `mcp__server` of tools that are offered besides its own. */
  readonly allowedTools: readonly string[];
  readonly license: string | null;
  readonly compatibility: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly run: AgentRunSettings;
  /** The body; the description where that is blank. */
  readonly systemPrompt: string;
}

export type ReadSkill =
  | { readonly ok: true; readonly skill: Skill; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problem: string };

const MAX_BYTES = 256 * 1024;
const MAX_FRONT_BYTES = 16 * 1024;
const MAX_DESCRIPTION = 1024;
const KEYS = ['name', 'description', 'model', 'allowed-tools', 'license', 'compatibility', 'metadata'];

class SkillFault extends Error {}

/** Never throws. @param agent name of its folder */
export async function readSkill(path: string, agent: string): Promise<ReadSkill> {
  try {
    return parseSkill(await readText(path), agent);
  } catch (error) {
    return { ok: false, problem: error instanceof SkillFault ? error.message : faultText(error) };
  }
}

function faultText(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return code === 'ENOENT' ? 'SKILL.md is missing.' : `SKILL.md cannot be read (${code}).`;
}

/** Never more of it than may be there; a pipe that nobody writes to holds up nobody. */
async function readText(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new SkillFault('SKILL.md is no file.');
    const bytes = await readAtMost(file, MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) throw new SkillFault('SKILL.md is over 256 kB.');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw error instanceof TypeError ? new SkillFault('SKILL.md is not UTF-8.') : error;
  } finally {
    await file.close();
  }
}

async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** @throws SkillFault */
export function parseSkill(text: string, agent: string): ReadSkill {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  if (!isFence(lines[0])) throw new SkillFault('SKILL.md does not begin with ---: it has no front matter.');
  const end = lines.findIndex((line, index) => index > 0 && isFence(line));
  if (end < 0) throw new SkillFault('The front matter of SKILL.md is not closed by a line ---.');
  const front = lines.slice(1, end).join('\n');
  if (Buffer.byteLength(front) > MAX_FRONT_BYTES) {
    throw new SkillFault('The front matter of SKILL.md is over 16 kB.');
  }
  const parsed = parseFrontMatter(front);
  if (!parsed.ok) return parsed;
  const warnings = [...parsed.warnings];
  const skill = toSkill(parsed.values, lines.slice(end + 1).join('\n'), warnings);
  const name = textOf(parsed.values.get('name'));
  if (name !== null && name !== agent) {
    warnings.push(`name is ${JSON.stringify(name.slice(0, 80))}: the name of the folder counts.`);
  }
  return { ok: true, skill, warnings };
}

function isFence(line: string | undefined): boolean {
  return line?.trimEnd() === '---';
}

/** @throws SkillFault */
function toSkill(values: ReadonlyMap<string, FrontValue>, body: string, warnings: string[]): Skill {
  const text = (key: string) => {
    const value = values.get(key);
    if (value !== undefined && value !== null && typeof value !== 'string') {
      warnings.push(`${key} has to be text: it is not used.`);
    }
    return textOf(value);
  };
  const description = text('description');
  if (description === null) throw new SkillFault('SKILL.md has no description.');
  if (description.length > MAX_DESCRIPTION) {
    warnings.push(`The description is over ${MAX_DESCRIPTION} characters: all of it is sent to models.`);
  }
  const unknown = [...values.keys()].filter((key) => !KEYS.includes(key));
  if (unknown.length > 0) warnings.push(`Not used: ${unknown.map((key) => key.slice(0, 80)).join(', ')}.`);
  const metadata = metadataOf(values.get('metadata'), warnings);
  const { run, warnings: more } = readRunSettings(metadata);
  warnings.push(...more);
  return {
    description,
    model: text('model'),
    allowedTools: listAllowed(values.get('allowed-tools')),
    license: text('license'),
    compatibility: text('compatibility'),
    metadata,
    run,
    systemPrompt: body.trim() || description,
  };
}

/** Null where it is blank. */
function textOf(value: FrontValue | undefined): string | null {
  return typeof value === 'string' ? value.trim() || null : null;
}

function metadataOf(value: FrontValue | undefined, warnings: string[]): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!(value instanceof Map)) {
    warnings.push('metadata has to hold keys with texts: it is not used.');
    return {};
  }
  const texts: [string, string][] = [];
  for (const [key, text] of value as ReadonlyMap<string, FrontValue>) {
    if (typeof text === 'string') texts.push([key, text]);
    else warnings.push(`metadata: ${key.slice(0, 80)} has to be text: it is not used.`);
  }
  return Object.fromEntries(texts);
}

/** By spaces, as the format has it, and by commas; a list works, too. What stands in brackets belongs to its name. */
function listAllowed(value: FrontValue | undefined): string[] {
  const texts = Array.isArray(value) ? value : [value];
  const names = texts.flatMap((text) =>
    typeof text === 'string' ? (text.match(/(?:[^\s,()]|\([^)]*\))+/g) ?? []) : [],
  );
  return [...new Set(names)];
}
