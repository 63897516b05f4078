// Is it up? For people, clients and orchestrators.
import { Type } from 'typebox';
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

export function healthRoutes(app: App, { engine, version }: AppDeps): void {
  const describe = (
    operationId: string,
    text: { readonly summary: string; readonly description: string },
    schema: typeof Health | typeof Probe,
  ) => ({
    tags: ['health'],
    operationId,
    summary: text.summary,
    response: responses(200, jsonAnswer(text.description, schema), []),
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
  const probes = [
    ['/livez', 'isLive'],
    ['/readyz', 'isReady'],
  ] as const;
  for (const [path, operationId] of probes) {
    const schema = describe(operationId, { summary: 'Probe', description: 'The server serves.' }, Probe);
    app.get(path, { schema }, async () => ({ status: 'ok' }));
  }
}
