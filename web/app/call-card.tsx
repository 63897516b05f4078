// A call of an answer: of a tool, or of an agent.
import { AgentCard } from './agent-card.tsx';
import { type CallCardProps, ToolCard } from './tool-card.tsx';

export function CallCard(props: CallCardProps) {
  return props.call.name === 'agent' ? <AgentCard {...props} /> : <ToolCard {...props} />;
}
