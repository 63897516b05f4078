// The page with the documentation, built when somebody opens it: a server that only serves clients never pays for it.
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import { notFound } from './error-response.ts';

const PREFIX = '/docs';

/** Adds /docs and what it loads. They are answered by an application of their own, which nobody reaches otherwise. */
export function docsRoutes(app: FastifyInstance): void {
  let page: Promise<FastifyInstance> | null = null;
  for (const url of [PREFIX, `${PREFIX}/*`]) {
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      page ??= openPage(app);
      const answer = await (await page).inject({ method: 'GET', url: request.url });
      if (answer.statusCode === 404) throw notFound(request);
      const { 'content-length': _length, connection: _connection, ...headers } = answer.headers;
      return reply.code(answer.statusCode).headers(headers).send(answer.rawPayload);
    });
  }
}

async function openPage(app: FastifyInstance): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  const page = Fastify({ routerOptions: { ignoreTrailingSlash: true } });
  await page.register(swagger, {
    mode: 'static',
    // The document of the API, as /openapi.json has it. The types of the plugin know no 3.1 here.
    specification: { document: app.swagger() as never },
  });
  await page.register(swaggerUi, {
    routePrefix: PREFIX,
    uiConfig: { docExpansion: 'list', deepLinking: true },
    theme: { title: 'mochi-server' },
  });
  await page.ready();
  return page;
}
