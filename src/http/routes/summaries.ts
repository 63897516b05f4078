// Summaries: write one now, read the newest.
import { ref } from '../../contract/schema.ts';
import { LatestSummary, SummarizeInput, WrittenSummary } from '../../contract/summary.ts';
import { requireSession } from '../../sessions/require.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';
import { SessionParams, sessionIdOf } from '../params.ts';

export function summaryRoutes(app: App, { db, turns }: AppDeps): void {
  const tags = ['sessions'];

  app.post(
    '/api/v1/sessions/:session_id/summarize',
    {
      // The body may be left out.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {};
      },
      schema: {
        tags,
        operationId: 'summarizeSession',
        summary: 'Write a summary now',
        description:
          'Answers when it is written and stored. Without `model`: the model of the session, else its `summary_model`. Summaries are also written by themselves, after each answer, while no client waits for the model.',
        params: SessionParams,
        body: ref(SummarizeInput),
        response: responses(200, jsonAnswer('The summary.', ref(WrittenSummary)), [
          'session_not_found',
          'empty_history',
          'model_unusable',
          'no_summary_model',
          'context_overflow',
          'turn_cancelled',
          'ollama_unreachable',
          'ollama_error',
          'incomplete_response',
          'invalid_structured_output',
          'engine_busy',
          'overloaded',
          'not_accepting',
          'turn_interrupted',
          'engine_timeout',
          ...BODY_ERRORS,
          'session_load_error',
          'session_save_error',
          'database_busy',
          'storage_lost',
        ]),
      },
    },
    async ({ params, body }) => turns.summarize(sessionIdOf(params), body.model ?? null),
  );

  app.get(
    '/api/v1/sessions/:session_id/summary',
    {
      schema: {
        tags,
        operationId: 'getSummary',
        summary: 'The newest summary',
        params: SessionParams,
        response: responses(200, jsonAnswer('The summary, if there is one.', ref(LatestSummary)), [
          'session_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }): Promise<LatestSummary> => {
      const { summary } = await requireSession(db, sessionIdOf(params));
      if (summary === null) return { summary: null, topics: [] };
      return { summary: summary.summary, topics: summary.topics, model_used: summary.model_used ?? null };
    },
  );
}
