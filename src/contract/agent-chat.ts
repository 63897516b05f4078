// Agent chat: a session in which an agent works.
import { type Static, Type } from 'typebox';
import { Message } from './message.ts';
import { nullable, ref } from './schema.ts';
import { listItemFields, sessionFields } from './session.ts';

const AgentName = nullable(
  Type.String({
    description: 'Null: it was imported, and its file did not say.',
    examples: ['researcher'],
  }),
);
const ParentSession = nullable(
  Type.String({
    description: 'The session whose turn began it, and with which it is deleted; null: it stands alone.',
    examples: ['b5a3d7e4c9'],
  }),
);

export const AgentChatItem = Type.Object(
  {
    ...listItemFields,
    agent_name: AgentName,
    parent_session_id: ParentSession,
    last_turn_id: nullable(Type.String({ description: 'Its newest run.', examples: ['turn_0f3c5a9d21be'] })),
  },
  { $id: 'AgentChatItem' },
);
export type AgentChatItem = Static<typeof AgentChatItem>;

const EXAMPLE_ITEM: AgentChatItem = {
  session_id: '7c01f3aa90',
  model: 'qwen3-0.6b',
  title: null,
  created_at: '2026-02-15T09:49:31.000000Z',
  updated_at: '2026-02-15T09:49:38.310281Z',
  message_count: 5,
  summary: null,
  preview: 'Find out who wrote it.',
  metadata: {},
  active_turn: null,
  agent_name: 'researcher',
  parent_session_id: 'b5a3d7e4c9',
  last_turn_id: 'turn_0f3c5a9d21be',
};

export const AgentChatList = Type.Object(
  {
    sessions: Type.Array(ref(AgentChatItem)),
    chats: Type.Array(ref(AgentChatItem), { description: 'The same list.' }),
    next_cursor: nullable(Type.String()),
  },
  {
    $id: 'AgentChatList',
    examples: [{ sessions: [EXAMPLE_ITEM], chats: [EXAMPLE_ITEM], next_cursor: null }],
  },
);

export const AgentChat = Type.Object(
  {
    ...sessionFields,
    agent_name: AgentName,
    parent_session_id: ParentSession,
    parent_turn_id: nullable(Type.String({ description: 'The turn whose call of `agent` began it.' })),
    messages: Type.Array(ref(Message)),
  },
  { $id: 'AgentChat' },
);
