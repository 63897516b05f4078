// What is wrong with a session as clients see it: its tree, its path and its numbers must tell one story.
import type { TestServer } from '../support/test-server.ts';

interface SeenMessage {
  readonly message_id: string;
  readonly parent_id: string | null;
  readonly sibling_count: number;
  readonly sibling_index: number;
  readonly active: boolean;
  readonly status: string;
}

/** One line per fault; for a session in which no turn runs. */
export async function treeFaults(server: TestServer, sessionId: string): Promise<string[]> {
  const tree = (await server.get(`/sessions/${sessionId}/tree`)).body;
  const session = (await server.get(`/sessions/${sessionId}`)).body;
  const messages: SeenMessage[] = tree.messages;
  const byId = new Map(messages.map((message) => [message.message_id, message]));
  const faults: string[] = [];
  if (byId.size !== messages.length) faults.push('an id is there twice');
  for (const message of messages) {
    const { message_id: id, parent_id: parent, sibling_count: count, sibling_index: index, status } = message;
    if (parent !== null && !byId.has(parent)) faults.push(`the parent of ${id} is not there`);
    const siblings = messages.filter((other) => other.parent_id === parent);
    if (siblings.length !== count) faults.push(`${id} has ${siblings.length} siblings and says ${count}`);
    if (siblings.indexOf(message) !== index) faults.push(`${id} says of itself that it is sibling ${index}`);
    if (status === 'streaming') faults.push(`${id} is still streaming`);
  }
  const chain: string[] = [];
  for (let at = byId.get(tree.head); at !== undefined; at = byId.get(at.parent_id ?? '')) {
    if (chain.includes(at.message_id)) return [...faults, 'the path goes round in circles'];
    chain.unshift(at.message_id);
  }
  const active = messages.filter((message) => message.active).map(({ message_id: id }) => id);
  if (String(active.toSorted()) !== String(chain.toSorted())) faults.push('active and the path differ');
  const listed = session.messages.map(({ message_id: id }: SeenMessage) => id);
  if (String(listed) !== String(chain)) faults.push('the messages are not the path');
  if (session.message_count !== chain.length) faults.push('message_count is wrong');
  if (session.active_turn !== null) faults.push('a turn is still active');
  return faults;
}
