// Tools that come with a request: offered and checked like any other, and run by the client.
import { setImmediate } from 'node:timers/promises';
import { digestOf } from '../kit/digest.ts';
import { refusalText, registerTool, registerUnchecked } from './register-source.ts';
import type { RegisteredTool } from './registered-tool.ts';
import type { JsonSchema, ToolSource } from './tool.ts';

export interface ClientToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  /** It is offered whatever its name and its schema are: what cannot be checked is not. Missing: it is refused then. */
  readonly isUnchecked?: boolean;
}

/** One that cannot be offered. */
export class ClientToolFault extends Error {
  override readonly name = 'ClientToolFault';
  /** Among those of the request. */
  readonly index: number;

  constructor(index: number, reason: string) {
    super(reason);
    this.index = index;
  }
}

const CLIENT: ToolSource = {
  // Shown nowhere: it is in no registry, and nothing of it is run or journalled here.
  name: { kind: 'native', group: 'client' },
  describe: async () => ({ tools: [], problems: [] }),
  run: async (name) => ({
    state: 'failed',
    text: `Only the client can run ${name}.`,
    truncated: false,
    images: [],
    log: null,
  }),
  close: async () => undefined,
};

/** Schemas are compiled on this thread: others have a turn after so many. */
const TOOLS_AT_ONCE = 4;
/** Clients bring the same tools with each request. The least recently used first. */
const known = new Map<string, RegisteredTool>();
const MAX_KNOWN = 512;

export function isClientTool({ source }: Pick<RegisteredTool, 'source'>): boolean {
  return source === CLIENT;
}

/** @throws ClientToolFault */
export async function registerClientTools(
  definitions: readonly ClientToolDefinition[],
): Promise<readonly RegisteredTool[]> {
  const tools: RegisteredTool[] = [];
  for (const [index, definition] of definitions.entries()) {
    try {
      tools.push(recall(definition));
    } catch (error) {
      throw new ClientToolFault(index, refusalText(error));
    }
    if (index % TOOLS_AT_ONCE === TOOLS_AT_ONCE - 1) await setImmediate();
  }
  return tools;
}

function recall(definition: ClientToolDefinition): RegisteredTool {
  const key = digestOf(definition);
  const tool = known.get(key) ?? register(definition);
  known.delete(key);
  known.set(key, tool);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return tool;
}

function register({ isUnchecked = false, ...definition }: ClientToolDefinition): RegisteredTool {
  // Of no account here: it is run elsewhere.
  const tool = { ...definition, readOnly: false, repeatable: false, needsApproval: false, timeoutMs: null };
  return isUnchecked ? registerUnchecked(CLIENT, tool) : registerTool(CLIENT, tool);
}
