// What an engine would refuse about the history that it is sent.
import type { RequestMessage } from '../fake-ollama/chat-request.ts';

/** One line per fault. */
export function promptFaults(messages: readonly RequestMessage[]): string[] {
  const roles = messages.map(({ role }) => role);
  const faults: string[] = [];
  if (roles.lastIndexOf('system') > 0) faults.push('a system message is not the first');
  if (!roles.includes('user')) faults.push('no user message');
  let open = 0;
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') open -= 1;
    if (open < 0) faults.push(`tool message ${index} answers no call`);
    if (open > 0 && message.role !== 'tool') faults.push(`a call before message ${index} has no result`);
    if (message.role !== 'tool') open = message.tool_calls?.length ?? 0;
  }
  if (open > 0) faults.push('the last calls have no result');
  return faults;
}
