// What an agent is told at the end of each request, and nowhere else: to plan, to work, to report.
import { readFile, stat } from 'node:fs/promises';
import { decodeText } from '../kit/decode-text.ts';

export interface PhasePrompts {
  readonly planning: string;
  readonly execution: string;
  /** What is wrong with the operator's own, in words for the log. */
  readonly warnings: readonly string[];
}

interface ShownTool {
  readonly name: string;
  readonly description: string;
}

/** Where texts are looked for when nothing else is said: only there they may be missing. */
export const USUAL_FILES = {
  planning: 'docs/agents/agent_prompt_planning.md',
  execution: 'docs/agents/agent_prompt_execution.md',
} as const;

/** Of a file, in characters. */
const MAX_LENGTH = 20_000;
/** In UTF-8 a character has four bytes at most. */
const MAX_BYTES = 4 * MAX_LENGTH;
/** Of the first line of a description, in characters. */
const MAX_LINE = 200;

export const EXECUTION_PROMPT = `Carry out the plan, step by step, with your tools.
Call a tool whenever a step needs one; do not only say that you will. Use what the tools return, and do not make results up.
When a call fails, read why, and try another way.
When everything is done, answer with the result itself, short and complete, and call no more tools.`;

/** With the last round that a limit allows; it comes without tools. */
export const REPORT_PROMPT = `You have to stop now: your limit is reached, and no more tools can be called.
Report in plain text what is done, with the results, and what is left to do.`;

/** A plan is worth something when it knows what can be done. */
export function planningPrompt(tools: readonly ShownTool[]): string {
  const lines = tools.map(({ name, description }) => {
    const [first = ''] = description.trim().split('\n', 1);
    return `- ${name}: ${first.slice(0, MAX_LINE).toWellFormed()}`;
  });
  return `Make a plan for the task above. Do not carry it out yet.
Write three to seven short, numbered steps; fewer where fewer do. Say in each step which tool it needs, if any.
These tools will be there when the plan is carried out:
${lines.join('\n')}
Write the plan and nothing else.`;
}

export interface PromptFile {
  /** Absolute. */
  readonly path: string;
  /** Where it was not named by anybody, there need not be one. */
  readonly mayBeMissing: boolean;
}

/** Read anew for each run. Never throws: what cannot be used leaves the built-in text. */
export async function readPhasePrompts(
  files: { readonly planning: PromptFile; readonly execution: PromptFile },
  tools: readonly ShownTool[],
): Promise<PhasePrompts> {
  const [planning, execution] = await Promise.all([readPrompt(files.planning), readPrompt(files.execution)]);
  return {
    planning: planning.text ?? planningPrompt(tools),
    execution: execution.text ?? EXECUTION_PROMPT,
    warnings: [planning.warning, execution.warning].filter((warning) => warning !== null),
  };
}

interface ReadPrompt {
  /** Null: the built-in one stands in. */
  readonly text: string | null;
  readonly warning: string | null;
}

async function readPrompt({ path, mayBeMissing }: PromptFile): Promise<ReadPrompt> {
  const unused = (why: string): ReadPrompt => ({
    text: null,
    warning: `${path} ${why}: the built-in text is used.`,
  });
  try {
    const found = await stat(path);
    // A pipe that nobody writes to would hold up the run.
    if (!found.isFile()) return unused('is no file');
    if (found.size > MAX_BYTES) return unused(`is over ${MAX_LENGTH} characters`);
    const text = decodeText(await readFile(path));
    if (text === null) return unused('is no text');
    const plain = text.trim();
    if (plain === '') return unused('is blank');
    return plain.length > MAX_LENGTH
      ? unused(`is over ${MAX_LENGTH} characters`)
      : { text: plain, warning: null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && mayBeMissing) return { text: null, warning: null };
    return unused(`cannot be read (${code})`);
  }
}
