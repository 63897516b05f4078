// Whatever is written as schema, arguments, rule or MCP file: an answer below 500, and a server that goes on.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { ScriptedSource, type ScriptedTool } from '../support/scripted-source.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';

const PROPERTIES = ['a', '__proto__', 'constructor', 'arguments', '', 'x'.repeat(300), '😀', '\u0000'];
const TYPES = ['object', 'string', 'integer', 'number', 'boolean', 'array', 'null', 'nothing', 7, null];
const PATTERNS = ['(a+)+$', '[', '\\p{L}', '(?=a)', 'x'.repeat(5000), '^$'];
const REFS = ['#', '#/properties/a', '#/$defs/a', '#/$defs/none', 'https://x.example/s', '#/%', ''];

const key = fc.oneof(fc.constantFrom(...PROPERTIES), fc.string({ unit: 'binary', maxLength: 8 }));
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('x'.repeat(70_000), '\ud800', '{"a":', -0, 1e308, 2 ** 53, {}, [], null),
);

/** Mostly a schema. */
const { schema } = fc.letrec<{ schema: unknown }>((tie) => {
  const keywords: Record<string, fc.Arbitrary<unknown>> = {
    type: fc.oneof(fc.constantFrom(...TYPES), fc.array(fc.constantFrom(...TYPES), { maxLength: 3 })),
    properties: fc.oneof(fc.dictionary(key, tie('schema'), { maxKeys: 3 }), json),
    required: fc.oneof(fc.array(key, { maxLength: 3 }), json),
    items: tie('schema'),
    anyOf: fc.array(tie('schema'), { maxLength: 3 }),
    oneOf: fc.array(tie('schema'), { maxLength: 3 }),
    allOf: fc.array(tie('schema'), { maxLength: 3 }),
    not: tie('schema'),
    enum: fc.oneof(fc.array(json, { maxLength: 3 }), json),
    const: json,
    default: json,
    pattern: fc.oneof(fc.constantFrom(...PATTERNS), fc.string()),
    minLength: json,
    maximum: json,
    $ref: fc.constantFrom(...REFS),
    $defs: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2 }),
    additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
    patternProperties: fc.dictionary(fc.constantFrom(...PATTERNS), tie('schema'), { maxKeys: 2 }),
    $id: fc.constantFrom('a', 'https://x.example/s', ''),
    $async: fc.boolean(),
    description: json,
  };
  return {
    schema: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.boolean(),
      json,
      fc.record(keywords, { requiredKeys: [] }),
    ),
  };
});
const objectSchema = schema.map((value) => (isObject(value) ? { ...value, type: 'object' } : value));

/** What sources are held to where they are read. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const STRICT: ScriptedTool = {
  name: 'strict',
  inputSchema: {
    type: 'object',
    required: ['a'],
    properties: {
      a: { type: 'integer', minimum: 0 },
      arguments: { type: 'array', items: { type: 'object', properties: { b: { type: 'boolean' } } } },
      constructor: { anyOf: [{ type: 'string', pattern: '^x+$' }, { type: 'null' }] },
    },
    additionalProperties: false,
  },
};
const OPEN: ScriptedTool = { name: 'open', inputSchema: { type: 'object', additionalProperties: true } };

describe('tools', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let server: TestServer;
  let sessionId: string;
  /** What a source says of its tools. */
  const described: { current: ScriptedTool[] } = { current: [] };
  beforeAll(async () => {
    const odd = new ScriptedSource('odd', {
      get tools() {
        return described.current;
      },
    });
    server = await startTestServer({
      ollama: { programs: {} },
      toolSources: [new ScriptedSource('test', { tools: [STRICT, OPEN] }), odd],
    });
    const tools = ['strict', 'open'];
    sessionId = await server.createSession({ tool_settings: { tools, execution_policy: 'never_confirm' } });
  });
  afterAll(() => server.close());

  it('with any schema, brought by a client', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(objectSchema, schema), json, async (parameters, name) => {
        const tools = [{ name: 'fits', parameters }, ...(name === null ? [] : [{ name, parameters: {} }])];
        const { status } = await server.post(`/chat/${sessionId}/preview`, { message: 'x', tools });
        expect([200, 400, 413, 422]).toContain(status);
      }),
      fuzzRuns(50),
    );
  });

  it('with any schema, of a source: what is not used is told', async () => {
    await fc.assert(
      fc.asyncProperty(objectSchema.filter(isObject), fc.string(), async (inputSchema, description) => {
        described.current = [
          { name: 'odd', inputSchema: inputSchema as any, description },
          { name: 'even', inputSchema: { type: 'object' } },
        ];
        const { status, body } = await server.post('/tools/reload');
        expect([status, body.success]).toEqual([200, true]);
        const { body: listed } = await server.get('/tools');
        expect(Object.keys(listed.tools)).toEqual(expect.arrayContaining(['even', 'open', 'strict']));
        const isRefused = body.problems.some((problem: any) => problem.source === 'native:odd');
        expect(Object.hasOwn(listed.tools, 'odd')).toBe(!isRefused);
      }),
      fuzzRuns(50),
    );
    described.current = [];
  });

  it('with any arguments, of a person and of a model', async () => {
    const args = fc.oneof(fc.dictionary(key, json, { maxKeys: 4 }), json, fc.string());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('strict', 'open'), args, async (name, given) => {
        const { status } = await server.post(`/tools/${name}/run`, { arguments: given });
        expect([200, 413, 422]).toContain(status);
      }),
      fuzzRuns(50),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom('strict', 'Strict', 'open'), key),
        args,
        async (name, given) => {
          server.ollama.reply(toolCall(name, given), text('Well.'));
          const { status, body } = await server.post(`/chat/${sessionId}`, { message: 'x' });
          // What an engine sends that is no call at all is the engine's fault, and said so.
          const isFine = status === 200 || body.detail.error.code === 'tool_calls_unusable';
          expect([isFine, status, JSON.stringify(body).slice(0, 500)]).toEqual([
            true,
            status,
            expect.anything(),
          ]);
        },
      ),
      fuzzRuns(25),
    );
  });

  it('under any rules: a reload says what is wrong, and nothing else changes', async () => {
    const rule = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('open', '*', 'open(a=*)', 'open(a=', '((', 'a(b)', 'mcp__x', '*'.repeat(500), 'a(=)'),
      json,
    );
    const rules = fc.oneof(fc.array(rule, { maxLength: 5 }), json);
    const file = fc.oneof(
      fc
        .record({ allow: rules, ask: rules, deny: rules }, { requiredKeys: [] })
        .map((value) => JSON.stringify(value)),
      json.map((value) => JSON.stringify(value)),
      fc.string({ unit: 'binary' }),
    );
    const path = join(server.dataDir, 'tool-policy.json');
    await fc.assert(
      fc.asyncProperty(file, async (content) => {
        writeFileSync(path, content);
        const { status, body } = await server.post('/tools/reload');
        expect(status).toBe(200);
        expect(body.success || body.problems.length > 0).toBe(true);
        expect((await server.post('/tools/open/run', { arguments: { a: 'x' } })).status).toBeLessThan(500);
      }),
      fuzzRuns(50),
    );
    writeFileSync(path, '{}');
    expect((await server.post('/tools/reload')).body.success).toBe(true);
  });

  it('of any mcp.json: a server that cannot be started is told, and hides nothing', async () => {
    const command = fc.oneof(
      fc.constantFrom('true', 'none-such-command', '', '/', '${HOME}', '${NONE}'),
      json,
    );
    const entry = fc.oneof(
      fc.record(
        {
          command,
          args: fc.oneof(fc.array(fc.oneof(fc.string(), json), { maxLength: 2 }), json),
          env: fc.oneof(fc.dictionary(key, fc.oneof(fc.string(), json), { maxKeys: 2 }), json),
          cwd: fc.oneof(fc.constantFrom('/', '/none', '.'), json),
          url: fc.oneof(fc.constantFrom('http://127.0.0.1:9/', 'ftp://x', 'x'), json),
          headers: fc.oneof(fc.dictionary(key, fc.string(), { maxKeys: 2 }), json),
          type: fc.oneof(fc.constantFrom('http', 'sse', 'stdio'), json),
          disabled: fc.oneof(fc.constant(true), fc.boolean(), json),
          enabledTools: json,
          timeoutSeconds: json,
        },
        { requiredKeys: [] },
      ),
      json,
    );
    const name = fc.oneof(fc.constantFrom('a', 'B-1', 'a__b', '__proto__', ''), fc.string({ maxLength: 40 }));
    const file = fc.oneof(
      fc.dictionary(name, entry, { maxKeys: 2 }).map((servers) => JSON.stringify({ mcpServers: servers })),
      json.map((value) => JSON.stringify(value)),
      fc.string(),
    );
    const path = join(server.dataDir, 'mcp.json');
    await fc.assert(
      fc.asyncProperty(file, async (content) => {
        writeFileSync(path, content);
        const { status } = await server.post('/tools/reload');
        expect(status).toBe(200);
        expect((await server.get('/mcp/servers')).status).toBe(200);
        expect((await server.get('/tools/open')).status).toBe(200);
      }),
      fuzzRuns(25),
    );
  });
});
