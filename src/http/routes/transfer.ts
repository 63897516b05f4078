// Sessions from one server to another: export and import.
import { Type } from 'typebox';
import { closeImportedTurns } from '../../chat/recover-turns.ts';
import { invalidField } from '../../contract/errors.ts';
import {
  EXPORT_FORMATS,
  ExecutionLine,
  ImportAnswer,
  MessageLine,
  SessionLine,
  TurnLine,
} from '../../contract/jsonl.ts';
import { EXAMPLE_LINES } from '../../contract/jsonl-example.ts';
import { OriginalFile } from '../../contract/original-file.ts';
import { oneOf, ref } from '../../contract/schema.ts';
import { openExport } from '../../transfer/export-session.ts';
import { importJsonBody, importJsonlBody } from '../../transfer/import-body.ts';
import type { ImportDeps } from '../../transfer/import-deps.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';
import { SessionParams, sessionIdOf } from '../params.ts';
import { IMPORT_PATH, NDJSON } from '../read-ndjson-body.ts';
import { streamText } from '../stream-text.ts';

const LINES = {
  schema: {
    type: 'string',
    description:
      'Lines of JSON. A session comes first, then its messages and turns in creation order; any number of sessions.',
    contentMediaType: NDJSON,
    contentSchema: { oneOf: [ref(SessionLine), ref(MessageLine), ref(TurnLine), ref(ExecutionLine)] },
  },
  example: EXAMPLE_LINES.map((line) => `${JSON.stringify(line)}\n`).join(''),
};
const IMPORT_BODY = {
  content: { 'application/json': { schema: ref(OriginalFile) }, [NDJSON]: LINES },
};
const EXPORT_ANSWER = {
  description: 'A file to keep.',
  content: { 'application/json': { schema: ref(OriginalFile) }, [NDJSON]: LINES },
};

export function transferRoutes(app: App, deps: AppDeps): void {
  const tags = ['sessions'];
  const importDeps: ImportDeps = {
    ...deps,
    closeTurns: (db, sessionId) => closeImportedTurns({ ...deps, db }, sessionId),
  };

  app.get(
    '/api/v1/sessions/:session_id/export',
    {
      schema: {
        tags,
        operationId: 'exportSession',
        summary: 'Export a session',
        description:
          '`json`: the session file of the original server, format 1.4, of the active path. `jsonl`: everything, one thing a line. Both are the session at one moment, also while a turn runs.',
        params: SessionParams,
        querystring: Type.Object({
          format: Type.Optional(oneOf(EXPORT_FORMATS, { description: 'Default: `json`.' })),
          agents: Type.Optional(
            Type.Boolean({ description: 'true: with its agent chats after it; only as `jsonl`.' }),
          ),
        }),
        response: responses(200, EXPORT_ANSWER, [
          'session_not_found',
          'validation_error',
          'session_load_error',
          'storage_lost',
        ]),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const sessionId = sessionIdOf(params);
      const { format = 'json', agents: withAgents = false } = query;
      if (withAgents && format === 'json') throw invalidField('/agents', 'needs format=jsonl');
      const opened = await openExport(deps.openSnapshot, sessionId, { format, withAgents });
      const stream = streamText(opened, reply, request);
      const type = format === 'json' ? 'application/json' : NDJSON;
      return reply
        .type(`${type}; charset=utf-8`)
        .header('content-disposition', `attachment; filename="${sessionId}.${format}"`)
        .send(stream);
    },
  );

  app.post(
    IMPORT_PATH,
    {
      schema: {
        tags,
        operationId: 'importSessions',
        summary: 'Import sessions',
        description:
          'A session is imported whole or not at all. Identical content is skipped. What is larger than a body may be goes through the command `mochi-server import FILE`.',
        body: IMPORT_BODY,
        response: responses(201, jsonAnswer('What became of each session.', ref(ImportAnswer)), [
          ...BODY_ERRORS,
          'session_load_error',
          'session_save_error',
          'database_busy',
          'storage_lost',
        ]),
      },
    },
    async ({ body }, reply) => {
      const answer = Buffer.isBuffer(body)
        ? await importJsonlBody(importDeps, body)
        : await importJsonBody(importDeps, body);
      return reply.code(201).send(answer);
    },
  );
}
