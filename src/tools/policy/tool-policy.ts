// What the operator says about tools, whoever calls them: `{data_dir}/tool-policy.json`.
import { readFile } from 'node:fs/promises';
import { type PolicyRule, parseRule } from './rule.ts';

export interface ToolPolicy {
  readonly deny: readonly PolicyRule[];
  readonly ask: readonly PolicyRule[];
  readonly allow: readonly PolicyRule[];
}

export const NO_POLICY: ToolPolicy = { deny: [], ask: [], allow: [] };

/** A file of the operator that cannot be used: nothing runs under a rule that nobody could read. */
export class ToolConfigError extends Error {
  override readonly name = 'ToolConfigError';
  /** All of them, each a sentence for people. */
  readonly problems: readonly string[];

  /** The name of the file that they are in. */
  readonly file: string;

  constructor(problems: readonly string[], file = 'tool-policy.json') {
    super(problems.join('\n'));
    this.problems = problems;
    this.file = file;
  }
}

export interface PolicyFile {
  readonly path: string;
  /** Where it was not named by anybody, there need not be one. */
  readonly mayBeMissing: boolean;
}

const LISTS = ['allow', 'ask', 'deny'] as const;

/** @throws ToolConfigError with every problem at once */
export async function readToolPolicy({ path, mayBeMissing }: PolicyFile): Promise<ToolPolicy> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && mayBeMissing) return NO_POLICY;
    throw new ToolConfigError([`${path} cannot be read (${code}).`]);
  }
  return parseToolPolicy(text.replace(/^\uFEFF/, ''), path);
}

/** @throws ToolConfigError with every problem at once */
export function parseToolPolicy(text: string, path: string): ToolPolicy {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolConfigError([`${path} is not JSON: ${reason}`]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ToolConfigError([`${path} must hold an object with the lists allow, ask and deny.`]);
  }
  const problems = Object.keys(value)
    .filter((key) => !LISTS.some((list) => list === key))
    .map((key) => `${path}: ${JSON.stringify(key)} is not one of allow, ask and deny.`);
  const read = (list: (typeof LISTS)[number]) => {
    // A second list of one name would silently take the place of the first.
    if ([...text.matchAll(new RegExp(`"${list}"\\s*:`, 'g'))].length > 1) {
      problems.push(`${path}: ${list} is there more than once.`);
    }
    return readRules(Object.hasOwn(value, list) ? Reflect.get(value, list) : [], (problem) =>
      problems.push(`${path}: ${list}${problem}`),
    );
  };
  const policy = { deny: read('deny'), ask: read('ask'), allow: read('allow') };
  if (problems.length > 0) throw new ToolConfigError(problems);
  return policy;
}

function readRules(list: unknown, complain: (problem: string) => void): PolicyRule[] {
  if (!Array.isArray(list)) {
    complain(' must be a list of rules.');
    return [];
  }
  return list.flatMap((entry: unknown, index) => {
    const rule = typeof entry === 'string' ? parseRule(entry.trim()) : null;
    if (rule !== null) return [rule];
    complain(`[${index}] is no rule: ${shown(entry)}. A rule is NAME or NAME(argument=GLOB).`);
    return [];
  });
}

function shown(entry: unknown): string {
  return JSON.stringify(entry).slice(0, 100).toWellFormed();
}
