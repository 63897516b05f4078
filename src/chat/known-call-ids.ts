// Some clients give the calls of an answer ids of their own when they send it back: what they say of those is said of
// the calls as they are kept here.
import { listAnswerCalls } from '../store/client-calls.ts';
import type { Db } from '../store/database.ts';
import type { PlacedMessage } from './turn-request.ts';

/**
 * Inside the caller's transaction.
 * @param asking the message that left the calls open
 * @param count how many of the messages are known; the last of them that calls is that message
 * @returns the others
 */
export async function withKnownCallIds(
  db: Db,
  asking: { readonly sessionId: string; readonly messageId: string },
  { messages, count }: { readonly messages: readonly PlacedMessage[]; readonly count: number },
): Promise<PlacedMessage[]> {
  const told = messages.slice(0, count).findLast(({ toolCalls = [] }) => toolCalls.length > 0);
  const kept = await listAnswerCalls(db, asking.sessionId, asking.messageId);
  const handed = kept.filter(({ runs_at: runsAt }) => runsAt === 'client');
  const ids = new Map(told?.toolCalls?.map(({ id }, index) => [id, handed[index]?.id ?? id]));
  return messages.slice(count).map((message) => {
    const toolCallId = message.role === 'tool' ? ids.get(message.toolCallId ?? '') : undefined;
    return toolCallId === undefined ? message : { ...message, toolCallId };
  });
}
