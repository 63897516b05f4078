// An agent whose tools write lines, and a model that calls it, and that works as it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text, toolCall } from '../fake-ollama/chat-script.ts';
import { callsTools, writeTools } from './ledger-tool.ts';
import type { House } from './life.ts';

const SKILL = '---\ndescription: Keeps the ledger.\n---\nYou keep the ledger.\n';

export const AGENT: House = {
  prepare: writeAgent,
  isFound: async (client) => (await client.get('/agents')).body.agents.keeper?.valid === true,
};

/** The tools of the ledger are the agent's here. */
function writeAgent(dataDir: string): void {
  const folder = join(dataDir, 'agents', 'keeper');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'SKILL.md'), SKILL);
  writeTools(dataDir, join(folder, 'tools'));
}

/** `agent: write a` has the agent called, which does what comes after. */
export function callsAgent(body: RequestBody): ChatScript {
  const { messages = [], tools = [] } = body;
  const last = messages.at(-1);
  if (messages[0]?.role !== 'system') {
    const [, instruction] = /^agent: (.*)$/.exec((last?.role === 'user' ? last.content : null) ?? '') ?? [];
    return instruction === undefined
      ? text('Well then.')
      : toolCall('agent', { agent: 'keeper', instruction }, { id: 'c0' });
  }
  // The prompt of the phase comes last.
  const before = messages.slice(0, -1);
  if (tools.length === 0) return text('1. Write.');
  const instruction = before.findLast(({ role }) => role === 'user');
  const isDone = before.findLastIndex(({ role }) => role === 'tool') > before.lastIndexOf(instruction ?? {});
  return isDone ? text('Well then.') : callsTools({ ...body, messages: instruction ? [instruction] : [] });
}
