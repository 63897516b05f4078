// The OpenAPI document: current, sound in itself, and complete. (That answers fit it is held by the test client.)
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDocument } from '../../scripts/make-document.ts';
import { APPROVAL_EVENTS } from '../../src/contract/approval-event.ts';
import { codeOf, ERRORS, type ErrorKindName } from '../../src/contract/errors.ts';
import { PULL_EVENTS } from '../../src/contract/model-pull.ts';
import { SERVER_EVENTS } from '../../src/contract/server-event.ts';
import { TURN_EVENTS } from '../../src/contract/turn-event.ts';
import { DIALECTS } from '../../src/dialects/dialects.ts';
import type { App, AppDeps } from '../../src/http/app-deps.ts';
import { VERSION } from '../../src/version.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly summary?: string; readonly value: unknown }>;
}
interface Response {
  readonly description: string;
  readonly content?: Record<string, Media>;
}
interface Operation {
  readonly tags?: string[];
  readonly operationId?: string;
  readonly summary?: string;
  readonly parameters?: {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Record<string, Media> };
  readonly responses: Record<string, Response>;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: { readonly name: string; readonly description: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly servers: { readonly url: string }[];
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly responses: Record<string, Response>;
  };
}

const written: Document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));
/** As it reads: answers that operations share stand in each of them. */
const document: Document = JSON.parse(JSON.stringify(written), (_key, value) =>
  typeof value?.$ref === 'string' && value.$ref.startsWith('#/components/responses/')
    ? written.components.responses[value.$ref.slice('#/components/responses/'.length)]
    : value,
);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, Operation] => [
    `${method.toUpperCase()} ${path}`,
    operation,
  ]),
);

/** How an answer, or an example, of an error of another API is named: `ollama.validation_error`. */
const isOther = (name: string) => DIALECTS.some(({ names: [owner] }) => name.includes(`${owner}.`));
const OTHER_ERROR = { type: 'object', additionalProperties: true };

describe('the served document', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('is made of the routes', async () => {
    expect(JSON.parse(JSON.stringify(await makeDocument()))).toEqual(written);
  });

  it('is the one in the repository', async () => {
    const { status, body, headers } = await server.get('/openapi.json');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toEqual(written);
  });
});

describe('the document', () => {
  it('is OpenAPI 3.1 and says what it describes', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: 'mochi-server', version: VERSION });
    expect(document.info.description).toMatch(/\S/);
    const known = ['openapi', 'info', 'tags', 'paths', 'components', 'security', 'servers', 'webhooks'];
    expect(known).toEqual(expect.arrayContaining(Object.keys(document)));
  });

  it('refers to nothing that it does not have', () => {
    const references = findAll(written, '$ref');
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references)
      expect([reference, resolve(reference)]).toEqual([reference, expect.any(Object)]);
  });

  it('has no schema that nobody refers to', () => {
    const used = new Set(findAll(written, '$ref'));
    const names = [
      ...Object.keys(written.components.schemas).map((name) => `#/components/schemas/${name}`),
      ...Object.keys(written.components.responses).map((name) => `#/components/responses/${name}`),
    ];
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });

  it('tells each answer of an error once, and what is the same in all of them once', () => {
    const answers = Object.values(written.paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ responses }) => Object.entries(responses)),
    );
    const errors = answers.filter(([status]) => Number(status) >= 400);
    expect(errors.length).toBeGreaterThan(100);
    expect(errors.filter(([, response]) => !('$ref' in response))).toEqual([]);
    for (const [name, { content }] of Object.entries(written.components.responses)) {
      // One of the other APIs tells errors as a text.
      if (isOther(name) && content?.['text/plain'] !== undefined) continue;
      const schema = isOther(name) ? OTHER_ERROR : { $ref: '#/components/schemas/ErrorEnvelope' };
      expect([name, content?.['application/json']?.schema]).toEqual([name, schema]);
    }
  });

  it('names every operation for generators of clients, and where the server is', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
    expect(new Set(ids).size).toBe(ids.length);
    expect(written.servers).toEqual([{ url: '.', description: 'This server.' }]);
  });

  it('has no default that makes a generator take a property for required', () => {
    const schemas = JSON.stringify(written, (key, value) => (key.startsWith('example') ? undefined : value));
    expect(schemas).not.toMatch(/"default":/);
    const request = written.components.schemas['ChatRequest'];
    expect(request).toMatchObject({
      properties: { mode: { description: expect.stringContaining('Default: `"regenerate"`.') } },
    });
  });

  it('says that an object without a description of its members may have any', () => {
    expect(written.components.schemas['CreateSession']).toMatchObject({
      properties: { metadata: { additionalProperties: true } },
    });
  });

  it('gives every operation a place and a name of its own', () => {
    const summaries = operations.filter(([name]) => !name.endsWith('z')).map(([, { summary }]) => summary);
    expect(new Set(summaries).size).toBe(summaries.length);
    const tags = document.tags.map(({ name }) => name);
    expect(new Set(operations.flatMap(([, operation]) => operation.tags ?? []))).toEqual(new Set(tags));
    for (const { description } of document.tags) expect(description).toMatch(/\S/);
  });
});

describe.each(operations)('%s', (name, operation) => {
  it('has a tag, a summary and answers', () => {
    expect(operation.tags).toHaveLength(1);
    expect(operation.summary).toMatch(/\S/);
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^2\d\d$/)]),
    );
    for (const { description } of Object.values(operation.responses)) expect(description).toMatch(/\S/);
  });

  it('describes the parameters of its path, and each only once', () => {
    const parameters = operation.parameters ?? [];
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    expect(inPath.map((parameter) => `{${parameter.name}}`)).toEqual(name.match(/\{\w+\}/g) ?? []);
    for (const { required } of inPath) expect(required).toBe(true);
    const keys = parameters.map((parameter) => `${parameter.in} ${parameter.name}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('shows an example of every error, in the envelope, with the status of the table', () => {
    const errors = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
    expect(errors.length).toBeGreaterThan(0);
    for (const [status, { content }] of errors) {
      const { examples: shown = {} } = content?.['application/json'] ?? content?.['text/plain'] ?? {};
      const examples = Object.entries(shown);
      expect([status, examples.length > 0]).toEqual([status, true]);
      for (const [code, { value, summary }] of examples) {
        expect(summary).toMatch(/\S/);
        // In the shape and with the status of the API that is spoken there.
        if (isOther(code)) continue;
        expect(value).toEqual({
          detail: { error: { code, message: expect.stringMatching(/\S/), details: {} } },
        });
        expect(statusesOf(code)).toContain(Number(status));
      }
    }
  });

  it('has examples that fit their schemas', () => {
    const media = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
      Object.entries(part?.content ?? {}),
    );
    for (const [type, { schema, example, examples = {} }] of media) {
      const validate = ajv.compile(rebase(schema));
      if (type !== 'application/json') continue;
      const values = [
        ...(example === undefined ? [] : [example]),
        ...Object.values(examples).map(({ value }) => value),
      ];
      for (const value of values) {
        validate(value);
        expect(validate.errors ?? []).toEqual([]);
      }
    }
  });
});

describe('the named schemas', () => {
  it.each(Object.entries(document.components.schemas))(
    '%s compiles, and its examples fit',
    (_name, schema) => {
      const validate = ajv.compile(rebase(schema));
      for (const example of 'examples' in schema && Array.isArray(schema.examples) ? schema.examples : []) {
        validate(example);
        expect(validate.errors ?? []).toEqual([]);
      }
    },
  );
});

describe('nothing is left out', () => {
  it('every route that is registered is described, with its method', async () => {
    // What instances of the server ask each other is not for clients.
    const own = (await listRoutes()).filter((name) => !name.includes(' /internal/'));
    // A HEAD says nothing that could be described.
    const others = DIALECTS.flatMap(({ routes }) =>
      // What is hidden only says in its own words that it is not there.
      routes.filter(({ isHidden }) => !isHidden).map(({ method, path }) => nameOf(method, path)),
    ).filter((name) => !name.startsWith('HEAD '));
    const registered = [...own, ...others];
    expect(registered.length).toBeGreaterThan(15);
    expect(registered.toSorted()).toEqual(operations.map(([name]) => name).toSorted());
  });

  it('every error code is described', () => {
    const text = JSON.stringify(document);
    const kinds = Object.keys(ERRORS) as ErrorKindName[];
    expect(kinds.filter((kind) => !text.includes(`\`${codeOf(kind)}\``))).toEqual([]);
  });

  it('what a body can be refused for is described wherever one can be sent', () => {
    const missing = operations
      .filter(([name]) => !name.startsWith('GET ') && name.includes(' /api/v1/'))
      .flatMap(([name, { responses }]) =>
        ['413', '415', '422']
          .filter((status) => !(status in responses))
          .map((status) => `${name}: ${status}`),
      );
    expect(missing).toEqual([]);
  });

  it('every event is described with its payload, wherever events are sent', () => {
    expect(streams.length).toBeGreaterThanOrEqual(2);
    for (const stream of streams) {
      const frames = framesOf(stream);
      expect([...frames.keys()].toSorted()).toEqual(Object.keys(TURN_EVENTS).toSorted());
      for (const { description, properties } of frames.values()) {
        expect([description, properties.data]).toEqual([expect.stringMatching(/\S/), expect.any(Object)]);
      }
    }
  });

  it('a stream has an example in frames, from the first event to the last', () => {
    for (const { example } of streams) {
      const frames = String(example).trimEnd().split('\n\n');
      for (const frame of frames) expect(frame).toMatch(/^id: \d+\nevent: \w+\ndata: \{.*\}$/);
      expect([frames[0], frames.at(-1)]).toEqual([
        expect.stringContaining('event: turn_start'),
        expect.stringContaining('event: done'),
      ]);
    }
  });

  it('the stream of a pull shows its own events', () => {
    const pulls = allStreams.filter((stream) => framesOf(stream).has('progress'));
    expect(pulls.map((stream) => [...framesOf(stream).keys()])).toEqual([Object.keys(PULL_EVENTS)]);
    for (const { example } of pulls) {
      expect(String(example)).toMatch(/^(event: progress\ndata: \{.*\}\n\n)+event: done\ndata: \{.*\}\n\n$/);
    }
  });

  it('the stream of approvals shows its own event', () => {
    const feeds = allStreams.filter((stream) => [...framesOf(stream).keys()].join() === 'approval');
    expect(feeds.map((stream) => [...framesOf(stream).keys()])).toEqual([Object.keys(APPROVAL_EVENTS)]);
    for (const { example } of feeds) {
      expect(String(example)).toMatch(/^id: \d+\nevent: approval\ndata: \{.*\}\n\n$/);
    }
  });

  it('the stream of what happens on the server shows its own events, hello first', () => {
    const others = allStreams.filter(({ example }) => String(example).includes('event: hello'));
    expect(others.map((stream) => [...framesOf(stream).keys()])).toEqual([Object.keys(SERVER_EVENTS)]);
    const frames = String(others[0]?.example).trimEnd().split('\n\n');
    for (const frame of frames) expect(frame).toMatch(/^id: \d+\nevent: \w+\ndata: \{.*\}$/);
    expect(frames[0]).toContain('event: hello');
    expect(streams.length + others.length + 2).toBe(allStreams.length);
  });

  it('every event has an example that fits its payload', () => {
    for (const stream of allStreams) {
      const shown = [...String(stream.example).matchAll(/^event: (\w+)\ndata: (.*)$/gm)];
      const missing = [...framesOf(stream)].flatMap(([event, { properties, examples = [] }]) => {
        const inStream = shown.filter(([, name]) => name === event).map(([, , data = '']) => parse(data));
        const found = [...inStream, ...examples.map(({ data }) => data)];
        const validate = ajv.compile(rebase(properties.data));
        return found.length > 0 && found.every((data) => validate(data)) ? [] : [event];
      });
      expect(missing).toEqual([]);
    }
  });

  it('a body that may be left out is not required, every other is', () => {
    const optional = operations.filter(([, { requestBody }]) => requestBody && !requestBody.required);
    const required = operations.filter(([, { requestBody }]) => requestBody?.required === true);
    expect(optional.map(([name]) => name)).toEqual([
      'POST /api/v1/sessions',
      'POST /api/v1/sessions/{session_id}/fork',
      'POST /api/v1/sessions/{session_id}/summarize',
      'POST /api/v1/tools/{name}/run',
    ]);
    expect(required.length).toBeGreaterThanOrEqual(7);
  });
});

// Those of other APIs are told as these have them.
const allStreams = operations
  .filter(([name]) => name.includes(' /api/v1/'))
  .flatMap(([, { responses }]) =>
    Object.values(responses).flatMap(({ content }) => content?.['text/event-stream'] ?? []),
  );
/** Of turns. */
const streams = allStreams.filter(({ example }) => String(example).includes('event: turn_start'));

interface Frame {
  readonly description: string;
  readonly properties: {
    readonly event: { readonly enum?: string[]; readonly const?: string };
    readonly data: object;
  };
  readonly examples?: { readonly data: unknown }[];
}

/** The schema of each event of a stream, which is text with frames of one of them. */
function framesOf({ schema }: Media): Map<string, Frame> {
  const { type, contentSchema } = schema as { type?: string; contentSchema?: { $ref: string } };
  expect(type).toBe('string');
  const { oneOf = [] } = Object(resolve(contentSchema?.$ref ?? '')) as { oneOf?: { $ref: string }[] };
  const frames = oneOf.map(({ $ref }) => resolve($ref) as Frame);
  return new Map(
    frames.map((frame) => [frame.properties.event.const ?? frame.properties.event.enum?.[0] ?? '', frame]),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'openapi', components: document.components });

function rebase(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/'));
}

/** Every text under a key, anywhere in a value. */
function findAll(value: unknown, key: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === key && typeof member === 'string' ? [member] : findAll(member, key),
  );
}

function resolve(reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined;
  const steps = reference.slice(2).split('/');
  return steps.reduce<unknown>((place, step) => (Object(place) as Record<string, unknown>)[step], document);
}

function statusesOf(code: string): number[] {
  const kinds = Object.keys(ERRORS) as ErrorKindName[];
  return kinds.filter((kind) => codeOf(kind) === code).map((kind) => ERRORS[kind].status);
}

function nameOf(method: string, url: string): string {
  const path = url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}');
  return `${method.toUpperCase()} ${path}`;
}

/** The routes as each file of http/routes registers them: `METHOD /path`, in the words of the document. */
async function listRoutes(): Promise<string[]> {
  const folder = new URL('../../src/http/routes/', import.meta.url);
  const routes: string[] = [];
  const recorder = new Proxy(
    {},
    {
      get: (_target, method: string) => {
        if (!['get', 'post', 'put', 'patch', 'delete'].includes(method))
          throw new Error(`app.${method}: not recorded`);
        return (url: string) => routes.push(nameOf(method, url));
      },
    },
  );
  for (const file of readdirSync(folder).filter((name) => !name.endsWith('.test.ts'))) {
    const exported: Record<string, unknown> = await import(new URL(file, folder).href);
    for (const [name, addRoutes] of Object.entries(exported)) {
      if (!name.endsWith('Routes') || typeof addRoutes !== 'function') continue;
      // Registration only names handlers; none runs here, so that none misses what it would use.
      (addRoutes as (app: App, deps: AppDeps) => void)(recorder as App, {} as AppDeps);
    }
  }
  return routes;
}
