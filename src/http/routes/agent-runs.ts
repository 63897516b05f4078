// Agents that a client talks to itself: an instruction, watched as JSON or as a stream. Both are the same run.
import { Type } from 'typebox';
import type { WantedRun } from '../../chat/check-run.ts';
import { findAgentChat } from '../../chat/open-agent-chat.ts';
import { type ChatRoute, toRunRequest } from '../../chat/turn-request.ts';
import { AgentRunRequest } from '../../contract/agent-run.ts';
import { ChatAnswer, WaitingAnswer } from '../../contract/chat.ts';
import type { ErrorKindName } from '../../contract/errors.ts';
import { ref } from '../../contract/schema.ts';
import { sessionNotFound } from '../../sessions/require.ts';
import { answerStream, answerWhole, FollowQuery, streamPolicies } from '../answer-turn.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { eventStreamAnswer, jsonAnswer, responses } from '../document.ts';
import { IdempotencyHeader, idempotencyKeyOf, sessionIdOf } from '../params.ts';
import { requireValidAgent } from '../require-agent.ts';
import { START_ERRORS, TURN_ERRORS } from './chat.ts';

const AgentParams = Type.Object({
  name: Type.String({ description: 'Name of the agent.', examples: ['coder'] }),
});

const RUN_ERRORS: readonly ErrorKindName[] = [
  'agent_not_found',
  'agent_invalid',
  'model_unusable',
  'ollama_unreachable',
  'ollama_error',
  'engine_busy',
  'engine_not_ready',
  ...START_ERRORS.filter((kind) => kind !== 'empty_history' && kind !== 'images_not_supported'),
];

const SAID =
  'It plans, works with its tools, and reports, in an agent chat of its own or in the one that `session_id` names. Its calls wait for approval unless `tool_settings` say otherwise.';

export function agentRunRoutes(app: App, deps: AppDeps): void {
  const tags = ['agents'];

  app.post(
    '/api/v1/agents/agent/:name/chat',
    {
      schema: {
        tags,
        operationId: 'runAgent',
        summary: 'Give an agent an instruction and wait for its report',
        description: SAID,
        headers: IdempotencyHeader,
        params: AgentParams,
        body: ref(AgentRunRequest),
        response: {
          ...responses(200, jsonAnswer('Its last words.', ref(ChatAnswer)), [...RUN_ERRORS, ...TURN_ERRORS]),
          202: jsonAnswer('`on_approval: return`: the run waits for a person.', ref(WaitingAnswer)),
        },
      },
    },
    async ({ params, body, headers }, reply) => {
      const wanted = await toWantedRun(deps, { name: params.name, body, route: 'chat' });
      const origin = { route: 'chat', idempotencyKey: idempotencyKeyOf(headers) } as const;
      const turn = await deps.turns.startRun(wanted, origin);
      const policies = { onApproval: wanted.request.onApproval, onDisconnect: body.on_disconnect };
      return answerWhole(deps.db, turn, policies, reply);
    },
  );

  app.post(
    '/api/v1/agents/agent/:name/chat/stream',
    {
      schema: {
        tags,
        operationId: 'streamAgent',
        summary: 'Give an agent an instruction and stream its work',
        description: `${SAID} Closing the connection cancels the run; what came until then is kept. With \`follow=false\` the stream ends with what there is, while the run goes on.`,
        headers: IdempotencyHeader,
        params: AgentParams,
        querystring: FollowQuery,
        body: ref(AgentRunRequest),
        response: responses(200, eventStreamAnswer('The events of the run.'), RUN_ERRORS),
      },
    },
    async ({ params, query, body, headers }, reply) => {
      const policies = streamPolicies(body, query);
      const wanted = await toWantedRun(deps, { name: params.name, body, route: 'stream' });
      const origin = { route: 'stream', idempotencyKey: idempotencyKeyOf(headers) } as const;
      answerStream(await deps.turns.startRun(wanted, origin), reply, policies);
    },
  );
}

/** @throws MochiError agent_not_found, agent_invalid, session_not_found */
async function toWantedRun(
  { agents, db }: AppDeps,
  asked: { readonly name: string; readonly body: AgentRunRequest; readonly route: ChatRoute },
): Promise<WantedRun> {
  const { name, body, route } = asked;
  const agent = await requireValidAgent(agents, name);
  return {
    agent,
    chat: body.session_id == null ? null : await requireChatOf(db, agent.name, body.session_id),
    model: body.model ?? null,
    request: toRunRequest(body, { route, think: agent.skill.run.think }),
  };
}

async function requireChatOf(db: AppDeps['db'], agentName: string, chatId: string) {
  const sessionId = sessionIdOf({ session_id: chatId });
  const chat = await findAgentChat(db, agentName, sessionId);
  if (chat === null) throw sessionNotFound(sessionId);
  return chat;
}
