// A session and what its agents did, as lines of an export.
import { EXAMPLE_LINES } from '../../src/contract/jsonl-example.ts';

const [SESSION, QUESTION, ANSWER, TURN] = EXAMPLE_LINES;

const toText = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** A conversation of two messages with the turn `turn_{id}`. */
export function chatLines(id: string, change: object = {}, text = 'What about quokkas?'): string {
  const turn = `turn_${id}`;
  return toText([
    { ...SESSION, session_id: id, head: `a-${id}`, ...change },
    { ...QUESTION, message_id: `q-${id}`, content: text },
    { ...ANSWER, message_id: `a-${id}`, parent_id: `q-${id}`, turn_id: turn },
    { ...TURN, turn_id: turn, user_message_id: `q-${id}`, message_id: `a-${id}` },
  ]);
}

export interface AgentChatLines {
  readonly id: string;
  readonly agent?: string | null;
  /** The session whose turn `turn_{parent}` began it. */
  readonly parent?: string | null;
  /** Of the parent's message. */
  readonly callIndex?: number;
  readonly change?: object;
}

/** An agent chat with one run, which has ended. */
export function agentChatLines(chat: AgentChatLines): string {
  const { id, agent = 'researcher', parent = null, callIndex = 0, change } = chat;
  const [session = '', question = '', answer = '', turn = ''] = chatLines(
    id,
    { kind: 'agent', agent_name: agent, parent_session_id: parent, ...change },
    'Look for quokkas.',
  ).split('\n');
  const run = {
    ...JSON.parse(turn),
    agent_name: agent,
    phase: 'executing',
    round: 3,
    active_ms: 1200,
    tokens: 345,
    ...(parent !== null && {
      parent_turn_id: `turn_${parent}`,
      parent_session_id: parent,
      parent_message_id: `a-${parent}`,
      parent_call_index: callIndex,
    }),
  };
  return [session, question, answer, JSON.stringify(run), ''].join('\n');
}
