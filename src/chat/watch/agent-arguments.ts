// The arguments of a call of `agent`, as its start tells them.
import type { TurnEvent } from '../../contract/turn-event.ts';

type AgentStart = Extract<TurnEvent, { event: 'agent_start' }>['data'];

export function agentArguments({ agent_name: agent, instruction, session_id: chat, continued }: AgentStart) {
  return { agent, instruction, ...(continued && { session_id: chat }) };
}
