// The OpenAPI document: made from the schemas that validate, with the errors and events of every route.
import diagnostics from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { loadConfig } from '../src/config.ts';
import { ERRORS, type ErrorKind } from '../src/contract/errors.ts';
import { NAMED_SCHEMAS } from '../src/contract/named-schemas.ts';
import { DIALECTS } from '../src/dialects/dialects.ts';
import { createLog } from '../src/kit/log.ts';
import { createServer } from '../src/server.ts';
import { VERSION } from '../src/version.ts';
import { tidyDocument } from './tidy-document.ts';

/** Every code, those included that come before any route. */
const ERROR_TABLE = [
  'Every error has the envelope `{"detail":{"error":{code,message,details}}}`. Its codes:',
  '',
  '| code | status | when |',
  '|---|---|---|',
  ...Object.values(ERRORS).map(
    (kind: ErrorKind, index) =>
      `| \`${kind.code ?? Object.keys(ERRORS)[index]}\` | ${kind.status} | ${kind.text} |`,
  ),
].join('\n');

/** What the running application says of itself. */
export async function makeDocument(): Promise<unknown> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-openapi-'));
  const loaded = loadConfig({ flags: { port: '0', dataDir, engine: 'ollama' }, env: {} });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  let described: FastifyInstance | null = null;
  // The framework tells of each application before it has routes: the server itself knows nothing of this.
  const describe = (message: unknown) => {
    const { fastify } = message as { readonly fastify: FastifyInstance };
    described = fastify;
    describeRoutes(fastify);
  };
  diagnostics.subscribe('fastify.initialization', describe);
  const server = await createServer(loaded.config, createLog({ level: 'fatal', format: 'json' }));
  diagnostics.unsubscribe('fastify.initialization', describe);
  try {
    return (described as FastifyInstance | null)?.swagger();
  } finally {
    await server.close();
    rmSync(dataDir, { recursive: true });
  }
}

function describeRoutes(app: FastifyInstance): void {
  for (const schema of NAMED_SCHEMAS) app.addSchema(schema);
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mochi-server',
        version: VERSION,
        description: `Conversations that last, on local models. Send one message; the server keeps the history, drives the model and saves everything.\n\n${ERROR_TABLE}`,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'sessions', description: 'Conversations and their settings.' },
        { name: 'branches', description: 'The message tree: nothing that was said is destroyed.' },
        { name: 'system prompts', description: 'Texts kept as files, for many sessions.' },
        { name: 'chat', description: 'Send a message, get an answer.' },
        { name: 'turns', description: 'What answers a request, apart from any connection.' },
        { name: 'events', description: 'What happens on the server, as it happens.' },
        { name: 'tools', description: 'What models may ask for, and the server runs.' },
        { name: 'approvals', description: 'What a person is asked before something happens.' },
        { name: 'agents', description: 'What works at a task by itself, with tools of its own.' },
        { name: 'models', description: 'What the engine can run.' },
        { name: 'health', description: 'Is it up?' },
        ...DIALECTS.map(({ tag }) => tag),
      ],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'Only where MOCHI_API_KEYS is set.' },
        },
      },
      security: [{}, { apiKey: [] }],
    },
    transform: nameWildcards,
    transformObject: tidyDocument,
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : String(index),
    },
  });
}

/** OpenAPI has no wildcards: the one in the path of a model becomes a parameter called `name`. */
function nameWildcards({ schema, url }: { schema: FastifySchema; url: string }): {
  schema: FastifySchema;
  url: string;
} {
  if (!url.endsWith('/*') || schema?.params === undefined) return { schema, url };
  const { properties } = Object(schema.params);
  const params = { type: 'object', required: ['name'], properties: { name: properties['*'] } };
  return { schema: { ...schema, params }, url: url.replace('*', ':name') };
}
