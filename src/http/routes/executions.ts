// The journal of tools: what has run, how it ended, and the whole of what it gave.
import { Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { ID_PATTERN, oneOf, ref } from '../../contract/schema.ts';
import {
  EXECUTION_STATES,
  ExecutionPage,
  ExecutionWithLog,
  ToolStats,
} from '../../contract/tool-execution.ts';
import { cutText } from '../../kit/whole-characters.ts';
import {
  findExecution,
  findExecutionOutput,
  listExecutions,
  readToolStats,
} from '../../store/list-executions.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { jsonAnswer, responses } from '../document.ts';
import { fromCursor, PageQuery, splitPage, toCursor } from '../paging.ts';

const tags = ['tools'];

/** Executions on a page when no limit is given: the history of the original. */
const DEFAULT_LIMIT = 100;

const ExecutionParams = Type.Object({
  execution_id: Type.String({ description: 'Id of the run.', examples: ['exec_0f3c5a9d21be'] }),
});

const ListQuery = Type.Object({
  tool: Type.Optional(Type.String({ maxLength: 200, description: 'Of this tool alone.' })),
  session_id: Type.Optional(Type.String({ maxLength: 200, description: 'Of this session alone.' })),
  state: Type.Optional(oneOf(EXECUTION_STATES)),
  ...PageQuery.properties,
});

export function executionRoutes(app: App, { db }: AppDeps): void {
  addListRoute(app, { db });
  app.get(
    '/api/v1/tool-executions/:execution_id',
    {
      schema: {
        tags,
        operationId: 'getToolExecution',
        summary: 'One run of a tool, with its log',
        params: ExecutionParams,
        response: responses(200, jsonAnswer('The run.', ref(ExecutionWithLog)), [
          'execution_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }) => {
      const id = executionIdOf(params);
      const execution = await findExecution(db, id);
      if (execution === null) throw executionNotFound(id);
      return execution;
    },
  );
  app.get(
    '/api/v1/tool-executions/:execution_id/output',
    {
      schema: {
        tags,
        operationId: 'getToolExecutionOutput',
        summary: 'The whole text that a run gave',
        description:
          'What a message holds shortened is here as it was, up to the limit of a result. Where the run failed, what went wrong; empty while it runs.',
        params: ExecutionParams,
        response: responses(200, { description: 'The text.', content: TEXT }, [
          'execution_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }, reply) => {
      const id = executionIdOf(params);
      const output = await findExecutionOutput(db, id);
      if (output === null) throw executionNotFound(id);
      return reply.type('text/plain; charset=utf-8').send(output);
    },
  );
  app.get(
    '/api/v1/tool-stats',
    {
      schema: {
        tags,
        operationId: 'getToolStats',
        summary: 'How often tools ran, how that ended, how long it took',
        description:
          "Of what the journal holds: runs of calls go with their session, a person's own runs beyond the newest 1000.",
        response: responses(200, jsonAnswer('In all, and by tool.', ref(ToolStats)), ['session_load_error']),
      },
    },
    async () => readToolStats(db),
  );
}

const TEXT = { 'text/plain': { schema: { type: 'string' }, example: '3' } };

function addListRoute(app: App, { db }: Pick<AppDeps, 'db'>): void {
  app.get(
    '/api/v1/tool-executions',
    {
      schema: {
        tags,
        operationId: 'listToolExecutions',
        summary: 'Runs of tools, the newest first',
        querystring: ListQuery,
        response: responses(200, jsonAnswer('A page of runs.', ref(ExecutionPage)), [
          'invalid_cursor',
          'validation_error',
          'session_load_error',
        ]),
      },
    },
    async ({ query }) => {
      const { limit = DEFAULT_LIMIT, cursor } = query;
      const filter = {
        tool: query.tool ?? null,
        sessionId: query.session_id ?? null,
        state: query.state ?? null,
      };
      const list = `tool-executions ${JSON.stringify(Object.values(filter))}`;
      const position = cursor === undefined ? null : fromCursor(list, cursor, ['string', 'string']);
      const rows = await listExecutions(db, filter, {
        limit: limit + 1,
        before: position && { startedAt: position[0], id: position[1] },
      });
      const { items, last } = splitPage(rows, limit);
      const nextCursor = last && toCursor(list, [last.started_at, last.execution_id]);
      return { executions: [...items], next_cursor: nextCursor };
    },
  );
}

/** @throws MochiError execution_not_found for what cannot be the id of anything */
function executionIdOf({ execution_id: id }: { readonly execution_id: string }): string {
  if (ID_PATTERN.test(id)) return id;
  throw executionNotFound(cutText(id, 64));
}

function executionNotFound(id: string): MochiError {
  return new MochiError('execution_not_found', `There is no run of a tool with the id ${id}.`, {
    execution_id: id,
  });
}
