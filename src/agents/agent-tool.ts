// The tool `agent`, as a session's model sees it: which agents there are, and what a call of it has to say.
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { compileSchema } from '../kit/compile-schema.ts';
import { digestOf } from '../kit/digest.ts';
import { cutText } from '../kit/whole-characters.ts';
import { type CheckedArguments, checkArguments } from '../tools/arguments/check-arguments.ts';
import { misfitText } from '../tools/arguments/misfit-text.ts';
import type { Arguments } from '../tools/arguments/parse-arguments.ts';
import { resolveName } from '../tools/arguments/resolve-name.ts';
import type { RegisteredTool } from '../tools/registered-tool.ts';
import type { JsonSchema, ToolSource } from '../tools/tool.ts';
import type { ValidAgent } from './agent.ts';

export const AGENT_TOOL = 'agent';

/** What a call says that was found fit. */
export interface AgentCall {
  readonly agent: ValidAgent;
  readonly instruction: string;
  /** The agent chat that it continues; null: a new one. */
  readonly chatId: string | null;
}

/** Of an instruction, in characters. */
const MAX_INSTRUCTION = 100_000;

const TEXT =
  'Give a task to an agent. It makes a plan, works with tools of its own in a conversation of its own, and its report is the result. It sees nothing of this conversation: the instruction has to say everything that it needs. Agents:';

/** @param enabled the agents that it offers, one at least */
export function createAgentTool(enabled: readonly ValidAgent[]): RegisteredTool {
  const names = enabled.map(({ name }) => name);
  const lines = enabled.map(({ name, skill }) => `- ${name}: ${skill.description.replaceAll(/\s+/g, ' ')}`);
  const description = [TEXT, ...lines].join('\n');
  const parameters = parametersOf(names);
  return {
    name: AGENT_TOOL,
    policyName: AGENT_TOOL,
    description,
    parameters,
    inputSchema: parameters,
    fingerprint: digestOf({ source: 'agent', name: AGENT_TOOL, description, input_schema: parameters }),
    readOnly: false,
    repeatable: false,
    needsApproval: false,
    timeoutMs: null,
    source: SOURCE,
    validate: looseCheck(),
    check: (given) => checkAgentCall(given, names, parameters),
  };
}

/** @param args of a call that was found fit @returns null when its agent is not among the enabled ones */
export function readAgentCall(args: Arguments, enabled: readonly ValidAgent[]): AgentCall | null {
  const { agent: name, instruction, session_id: chatId = null } = args;
  const agent = enabled.find((one) => one.name === name);
  if (agent === undefined || typeof instruction !== 'string') return null;
  return { agent, instruction, chatId: typeof chatId === 'string' ? chatId : null };
}

/** What a call reads that would continue what is no chat of this agent. */
export function unknownChatText(agent: string, chatId: string, enabled: readonly string[]): string {
  const shown = JSON.stringify(cutText(chatId, 64));
  return `The agent ${agent} has no conversation ${shown}. Leave session_id out to begin a new one, or give the id behind "Session ID:" in one of its results. Enabled: ${enabled.join(', ')}.`;
}

/** Whoever calls an agent runs it as a turn: as a tool it cannot be run. */
const SOURCE: ToolSource = {
  name: { kind: 'agent', group: AGENT_TOOL },
  describe: async () => ({ tools: [], problems: [] }),
  run: async () => ({
    state: 'failed',
    text: 'An agent cannot be run like this.',
    truncated: false,
    images: [],
    log: null,
  }),
  close: async () => undefined,
};

function parametersOf(names: readonly string[]): RegisteredTool['parameters'] & JsonSchema {
  return {
    type: 'object',
    required: ['agent', 'instruction'],
    properties: {
      agent: { type: 'string', enum: [...names], description: 'Which agent' },
      instruction: { type: 'string', description: 'What it is to do, with everything that it has to know' },
      session_id: {
        type: 'string',
        description: 'Only to go on with earlier work: the id behind "Session ID:" in its result',
      },
    },
  };
}

/** What any call has to be like; which agents there are is looked at apart. */
const LOOSE: JsonSchema = {
  type: 'object',
  required: ['instruction'],
  properties: {
    agent: { type: 'string' },
    instruction: { type: 'string' },
    session_id: { type: 'string' },
  },
};

let loose: ValidateFunction | null = null;

function looseCheck(): ValidateFunction {
  return (loose ??= compileSchema(LOOSE, { tellsAll: true }));
}

function checkAgentCall(
  given: unknown,
  enabled: readonly string[],
  parameters: JsonSchema,
): CheckedArguments {
  const read = checkArguments(given, { inputSchema: LOOSE, validate: looseCheck() });
  // What is told to be required is what the model was shown.
  if (!read.ok) return { ...read, text: misfitText(read.misfits, parameters) };
  const { agent: asked = '', instruction, session_id: chat = '' } = read.arguments as Record<string, string>;
  const repairs = [...read.repairs];
  const found = findAgent(asked.trim(), enabled);
  if (found === null) return misfit(read.arguments, '/agent', unknownAgentText(asked, enabled));
  if (found !== asked)
    repairs.push(asked.trim() === '' ? '/agent: the only one' : '/agent: read as its name');
  const fault = instructionFault(instruction ?? '');
  if (fault !== null) return misfit(read.arguments, '/instruction', `The instruction ${fault}`);
  const known = { agent: found, instruction, ...(chat.trim() !== '' && { session_id: chat.trim() }) };
  const unused = Object.keys(read.arguments).filter((key) => !Object.hasOwn(known, key));
  repairs.push(...unused.slice(0, 10).map((key) => `/${cutText(key, 80)}: left out`));
  return { ok: true, arguments: known, repairs };
}

/** Null: it is none of them. Where nothing is said, it is the only one. */
function findAgent(asked: string, enabled: readonly string[]): string | null {
  if (asked === '') return enabled.length === 1 ? (enabled[0] ?? null) : null;
  const named = enabled.map((name) => ({ name }));
  return resolveName(asked, named).tool?.name ?? null;
}

/** Why an agent cannot be told this, as the end of a sentence; null: it can. */
function instructionFault(instruction: string): string | null {
  if (instruction.trim() === '') return 'is blank: say what the agent is to do.';
  if (instruction.length <= MAX_INSTRUCTION) return null;
  return `has ${instruction.length} characters; ${MAX_INSTRUCTION} are allowed.`;
}

function unknownAgentText(asked: string, enabled: readonly string[]): string {
  const text =
    asked.trim() === ''
      ? 'It is not said which agent.'
      : `There is no agent ${JSON.stringify(cutText(asked, 64))}.`;
  return `${text} Enabled: ${enabled.join(', ')}.`;
}

function misfit(args: Arguments, path: string, text: string): CheckedArguments {
  return { ok: false, arguments: args, misfits: [{ path, message: text }], text };
}
