// Is it up? For people, clients and orchestrators.
import { Type } from 'typebox';
import type { ErrorKindName } from '../../contract/errors.ts';
import { nullable } from '../../contract/schema.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { jsonAnswer, responses } from '../document.ts';

const Health = Type.Object(
  {
    status: Type.Literal('ok'),
    version: Type.String(),
    ollama_connected: Type.Boolean(),
    ollama_host: Type.String(),
    engine: Type.Object({
      name: Type.String(),
      reachable: Type.Boolean(),
      version: nullable(Type.String()),
    }),
  },
  {
    examples: [
      {
        status: 'ok',
        version: '0.1.0',
        ollama_connected: true,
        ollama_host: 'http://localhost:11434',
        engine: { name: 'ollama', reachable: true, version: '0.33.0' },
      },
    ],
  },
);

const Probe = Type.Object({ status: Type.Literal('ok') }, { examples: [{ status: 'ok' }] });

export function healthRoutes(app: App, { engine, version, refuseTrouble }: AppDeps): void {
  const describe = (
    operationId: string,
    text: { readonly summary: string; readonly description: string },
    schema: typeof Health | typeof Probe,
    errors: readonly ErrorKindName[] = [],
  ) => ({
    tags: ['health'],
    operationId,
    summary: text.summary,
    response: responses(200, jsonAnswer(text.description, schema), errors),
  });
  app.get(
    '/api/v1/health',
    {
      schema: describe(
        'getHealth',
        {
          summary: 'Health of the server and its engine',
          description: 'Always 200 while the server serves.',
        },
        Health,
      ),
    },
    async () => {
      const { reachable, version: engineVersion, ollama } = await engine.health();
      return {
        status: 'ok',
        version,
        ollama_connected: ollama?.reachable ?? (engine.name === 'ollama' && reachable),
        ollama_host: ollama?.address ?? engine.address,
        engine: { name: engine.name, reachable, version: engineVersion },
      };
    },
  );
  const live = { summary: 'Probe', description: 'The server serves.' };
  app.get('/livez', { schema: describe('isLive', live, Probe) }, async () => ({ status: 'ok' as const }));
  const ready = {
    summary: 'Probe',
    description: 'The server serves, can store what it is told, and takes something new.',
  };
  app.get(
    '/readyz',
    { schema: describe('isReady', ready, Probe, ['storage_lost', 'database_busy', 'not_accepting']) },
    async () => {
      await refuseTrouble();
      return { status: 'ok' as const };
    },
  );
}
