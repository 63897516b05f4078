// What an agent did for a call that is stored: read from its chat when somebody wants to see it.
import { type AgentStep, type Message, outcomeOf } from '../../src/client/index.ts';
import { mochi } from './server.ts';

/** One of a stored run: a call as far as its chat tells of it. */
export type ShownStep =
  | Exclude<AgentStep, { kind: 'call' }>
  | { readonly kind: 'call'; readonly call: ShownCall };

interface ShownCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly result: string | null;
  readonly success: boolean | null;
}

/** @param instruction that began the run: a chat may hold several */
export async function readAgentSteps(chatId: string, instruction: string): Promise<readonly ShownStep[]> {
  const { messages } = await mochi.agents.chat(chatId);
  const begin = messages.findLastIndex(({ role, content }) => role === 'user' && content === instruction);
  const turnId = messages.slice(begin + 1).find(({ role }) => role === 'assistant')?.turn_id;
  return toSteps(messages.slice(begin + 1).filter((message) => message.turn_id === turnId));
}

function toSteps(messages: readonly Message[]): ShownStep[] {
  return messages.flatMap(({ role, content, message_id: messageId, tool_calls: calls }, at): ShownStep[] => {
    if (role !== 'assistant') return [];
    const results = messages.slice(at + 1, at + 1 + (calls?.length ?? 0));
    const text = content.trim() === '' ? [] : [{ kind: 'text', messageId, content } as const];
    return [...text, ...(calls ?? []).map((call, index) => toCall(call.function, results[index]))];
  });
}

function toCall(
  { name, arguments: args }: { readonly name: string; readonly arguments: Record<string, unknown> },
  answer: Message | undefined,
): ShownStep {
  const result = answer?.role === 'tool' ? answer.content : null;
  return {
    kind: 'call',
    call: { name, arguments: args, result, success: result === null ? null : outcomeOf(result) === 'done' },
  };
}
