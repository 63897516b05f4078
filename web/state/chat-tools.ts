// What models may use in the conversation that is shown; one that is not begun has it for its beginning.
import type { ToolSettingsInput } from '../../src/client/index.ts';
import { inTurn } from '../../src/client/store/in-turn.ts';
import { chat, chatState, newTools } from './chat.ts';
import { route } from './route.ts';
import { mochi } from './server.ts';

export interface ChatTools {
  readonly tools: readonly string[];
  readonly agents: readonly string[];
  /** A person is asked before each call. */
  readonly asks: boolean;
}

const NO_TOOLS: ChatTools = { tools: [], agents: [], asks: true };

/** As it is now. */
export function chatTools(): ChatTools {
  if (route.value.sessionId === null) return newTools.value ?? NO_TOOLS;
  const session = chatState.value?.session;
  if (session == null) return NO_TOOLS;
  const { active_tools: tools, enabled_agents: agents, execution_policy: policy } = session;
  return { tools, agents, asks: policy === 'always_confirm' };
}

export async function setChatTools(wanted: ChatTools): Promise<void> {
  const { sessionId } = route.value;
  if (sessionId === null) newTools.value = wanted;
  else await changing(() => storeTools(sessionId, wanted));
}

/** What is switched last counts, whichever request would have been the quicker one. */
const changing = inTurn();

async function storeTools(sessionId: string, { tools, agents, asks }: ChatTools): Promise<void> {
  // Changed by nothing: as it is, with the policies of single tools.
  const { tool_settings: kept } = await mochi.sessions.update(sessionId, {});
  const tool_settings: ToolSettingsInput = {
    ...kept,
    tools: [...tools],
    execution_policy: asks ? 'always_confirm' : 'never_confirm',
  };
  await mochi.sessions.update(sessionId, { tool_settings, agent_settings: { enabled_agents: [...agents] } });
  chat.value?.check();
}

/** Whether a list of names and patterns (`read_*`, `mcp__server`) has a tool. */
export function hasTool(names: readonly string[], tool: string): boolean {
  return names.some((name) => {
    if (name.endsWith('*')) return tool.startsWith(name.slice(0, -1));
    return name === tool || (name.startsWith('mcp__') && tool.startsWith(`${name}__`));
  });
}
