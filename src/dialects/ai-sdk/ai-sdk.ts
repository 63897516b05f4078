// The UI message stream of the AI SDK: `useChat` on stored sessions, without anything between.
import { Type } from 'typebox';
import { nullable } from '../../contract/schema.ts';
import { AnyObject, MaybeText } from '../body-fields.ts';
import { type Dialect, route } from '../dialect.ts';
import { readChat, resumeChat, sendChat, stopChat } from './chat.ts';
import { UiChatBody } from './chat-body.ts';

const UiMessages = Type.Object({
  id: Type.String(),
  session_id: Type.String(),
  active_turn: nullable(Type.String()),
  messages: Type.Array(AnyObject),
});

export const aiSdk: Dialect = {
  names: ['ai-sdk'],
  tag: {
    name: 'ai-sdk',
    description:
      "The UI message stream of Vercel's AI SDK: `new DefaultChatTransport({api: 'http://HOST:8000/ai/chat'})`. The id of a chat is that of a session, or a name whose session is made at first use.",
  },
  namesSessions: false,
  owns: (path) => /^\/ai(?:\/|$)/.test(path),
  // `useChat` shows the body of an error as it is.
  tellError: (error) => ({
    status: error.status,
    body: error.message,
    headers: { 'x-mochi-error': error.code },
  }),
  routes: [
    route({
      method: 'POST',
      path: '/ai/chat',
      operationId: 'sendUiChat',
      summary: 'Send, regenerate, edit, or answer calls and approvals, as useChat does',
      description:
        'Leaving goes on with the turn: a reload resumes it. A message that is sent while another is answered interrupts that.',
      body: UiChatBody,
      answer: 'text/event-stream',
      isTurn: true,
      handle: sendChat,
    }),
    {
      method: 'GET',
      path: '/ai/chat/:id/stream',
      operationId: 'resumeUiChat',
      summary: 'Go on reading what is being answered',
      description: '204 when nothing is, or when it waits for an approval.',
      answer: 'text/event-stream',
      alsoAnswers: { 204: 'Nothing runs.' },
      handle: resumeChat,
    },
    route({
      method: 'POST',
      path: '/ai/chat/:id/stop',
      operationId: 'stopUiChat',
      summary: 'Stop what is being answered',
      description: 'What came until then is kept. `turn_id` guards against stopping a later turn.',
      body: Type.Unsafe<{ turn_id?: string | null } | null>({
        type: ['object', 'null'],
        properties: { turn_id: MaybeText },
      }),
      answer: Type.Object({ success: Type.Boolean() }),
      handle: stopChat,
    }),
    {
      method: 'GET',
      path: '/ai/chat/:id',
      operationId: 'readUiChat',
      summary: 'A chat as useChat holds it',
      answer: UiMessages,
      handle: readChat,
    },
  ],
};
