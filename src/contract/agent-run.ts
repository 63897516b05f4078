// Run: an agent works at an instruction. Here: one that a client gives it itself.
import { type Static, Type } from 'typebox';
import { ChatRequest } from './chat.ts';
import { nullable } from './schema.ts';
import { ModelName } from './session.ts';

/** Longest instruction, in characters, whoever gives it. */
const INSTRUCTION_LENGTH = 100_000;

const { tool_settings, on_busy, on_disconnect, on_approval } = ChatRequest.properties;

export const AgentRunRequest = Type.Object(
  {
    instruction: Type.String({
      minLength: 1,
      maxLength: INSTRUCTION_LENGTH,
      pattern: '\\S',
      description: 'What the agent is to do.',
    }),
    session_id: Type.Optional(
      nullable(
        Type.String({
          description: 'The agent chat to go on in, one of this agent; null: a new one.',
          examples: ['7c01f3aa90'],
        }),
      ),
    ),
    model: Type.Optional(
      nullable(
        Type.String({
          ...ModelName,
          description: 'For this run. Null: that of SKILL.md, else of the agent chat, else the default one.',
        }),
      ),
    ),
    tool_settings,
    on_busy,
    on_disconnect,
    on_approval,
  },
  { $id: 'AgentRunRequest', examples: [{ instruction: 'Count the lines of draft.txt.' }] },
);
export type AgentRunRequest = Static<typeof AgentRunRequest>;
