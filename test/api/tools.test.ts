// The tools API: what there is, read anew, and runs by hand.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('without tools', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('there are none, which is no error', async () => {
    expect((await server.get('/tools')).body).toEqual({ tools: {} });
    expect((await server.post('/tools/reload')).body).toEqual({
      success: true,
      tools_count: 0,
      message: 'Successfully reloaded 0 tools',
      problems: [],
    });
  });

  it.each([
    ['an unknown name', 'nobody'],
    ['300 characters', 'x'.repeat(300)],
    ['a path', '..%2F..%2Fetc'],
    ['NUL', '%00'],
    ['a name of the language', '__proto__'],
  ])('%s is no tool: 404', async (_what, name) => {
    for (const answer of [await server.get(`/tools/${name}`), await server.post(`/tools/${name}/run`)]) {
      expect([answer.status, answer.body.detail.error.code]).toEqual([404, 'tool_not_found']);
    }
  });
});

const GARDEN = `
const inputSchema = {
  type: 'object', additionalProperties: false, required: ['plant'],
  $defs: { litres: { type: 'number', minimum: 0 } },
  properties: {
    plant: { type: 'string', description: 'Its name' },
    water: { $ref: '#/$defs/litres', default: 1 },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
};
export const tend = { description: 'Tends.', inputSchema, readOnly: true, execute: (args) => args };
export const uproot = { description: 'Uproots.', inputSchema, execute: () => 'gone' };
export const grow = {
  description: 'Grows until it is stopped.', inputSchema: { type: 'object' },
  execute: (_args, { signal }) => new Promise((_resolve, reject) => {
    appendFileSync('grown.txt', 'begun\\n');
    signal.addEventListener('abort', () => { appendFileSync('grown.txt', 'stopped\\n'); reject(new Error('stopped')); });
  }),
};
`;

describe('with tools and rules', () => {
  let dataDir: string;
  let server: TestServer;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-tools-api-'));
    await write('tools/garden/index.mjs', `import { appendFileSync } from 'node:fs';${GARDEN}`);
    await write('tool-policy.json', '{"deny":["uproot","tend(plant=oak*)"]}');
    server = await startTestServer({ dataDir });
  });
  afterAll(async () => {
    await server.close();
    await rm(dataDir, { recursive: true });
  });

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(dataDir, path)), { recursive: true });
    await writeFile(join(dataDir, path), text);
  }

  const run = async (name: string, args?: unknown) => server.post(`/tools/${name}/run`, { arguments: args });

  it('one is shown as models see it, beside its whole schema', async () => {
    const { body } = await server.get('/tools/tend');
    expect(body).toMatchObject({
      name: 'tend',
      description: 'Tends.',
      source: { kind: 'native', group: 'garden' },
      read_only: true,
      available: true,
      problem: null,
      input_schema: { $defs: {}, properties: { water: { $ref: '#/$defs/litres' } } },
    });
    expect(body.parameters).toEqual({
      type: 'object',
      required: ['plant'],
      properties: {
        plant: { type: 'string', description: 'Its name' },
        water: { type: 'number', description: '(default: 1; at least 0)' },
        note: { type: 'string' },
      },
    });
    expect(body.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect((await server.get('/tools')).body.tools.tend).toEqual(body);
  });

  it('models are sent what is shown', async () => {
    const shown = (await server.get('/tools/tend')).body;
    const sessionId = await server.createSession({ tool_settings: { tools: ['*'] } });
    await server.chat(sessionId, { message: 'Hi' });
    const requests = server.ollama.requestsTo('/api/chat').map(({ body }) => Object(body));
    const sent = requests.flatMap(({ tools }) => tools.map((tool: { function: object }) => tool.function));
    expect(sent.map((tool) => tool.name)).toEqual(['grow', 'tend']);
    const { name, description, parameters } = shown;
    expect(sent[1]).toEqual({ name, description, parameters });
  });

  it('one that is forbidden says so, and by which rule', async () => {
    expect((await server.get('/tools/uproot')).body).toMatchObject({
      available: false,
      problem: "The operator's policy forbids it (deny: uproot).",
    });
  });

  it('a run by hand mends arguments as for a model, and tells what it mended', async () => {
    const { status, body } = await run('tend', '{"plant":7,"water":"2.5","note":null}');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      execution_id: expect.stringMatching(/^exec_[0-9a-f]{12}$/),
      tool_name: 'tend',
      success: true,
      error: null,
      truncated: false,
      repairs: [
        'arguments: text read as JSON',
        '/plant: integer written as text',
        '/water: text read as number',
      ],
    });
    expect(JSON.parse(body.result)).toEqual({ plant: '7', water: 2.5, note: null });
  });

  it('arguments that do not fit are 422, each with its place', async () => {
    const { status, body } = await run('tend', { water: -1, junk: 9 });
    expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
    expect(body.detail.error.details.errors).toEqual([
      { path: '/arguments/plant', message: 'is missing' },
      { path: '/arguments/junk', message: 'is not known' },
      { path: '/arguments/water', message: 'must be >= 0' },
    ]);
    expect(body.detail.error.message.length).toBeLessThanOrEqual(600);
    for (const args of [[1], 7, '{"plant":', null]) expect((await run('tend', args)).status).toBe(422);
    expect((await server.post('/tools/tend/run')).status).toBe(422);
  });

  it('what the operator forbids is 403, by name and by argument, mended arguments included', async () => {
    for (const answer of [
      await run('uproot', { plant: 'rose' }),
      await run('tend', { plant: 'oak tree' }),
      await run('tend', { parameters: { plant: 'oak' } }),
    ]) {
      expect([answer.status, answer.body.detail.error.code]).toEqual([403, 'tool_execution_denied']);
    }
    expect((await run('tend', { plant: 'rose' })).body.success).toBe(true);
  });

  it('whatever the arguments are, the answer is a run or says what does not fit', async () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.json(),
      fc.record(
        { plant: fc.jsonValue(), water: fc.jsonValue(), note: fc.jsonValue() },
        { requiredKeys: ['plant'] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(odd, async (args) => {
        const { status, body } = await run('tend', args);
        expect([200, 403, 422]).toContain(status);
        if (status === 200) expect(body.success).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('a run is stopped when its client leaves', async () => {
    const left = new AbortController();
    const running = fetch(`${server.url}/api/v1/tools/grow/run`, { method: 'POST', signal: left.signal });
    const said = () => readFile(join(dataDir, 'grown.txt'), 'utf8').catch(() => '');
    await expect.poll(said, { timeout: 15_000 }).toBe('begun\n');
    left.abort();
    await expect(running).rejects.toThrow();
    await expect.poll(said, { timeout: 15_000 }).toBe('begun\nstopped\n');
  });

  it('a reload shows what has changed, with another fingerprint, and what is broken', async () => {
    const before = (await server.get('/tools/tend')).body.fingerprint;
    await write(
      'tools/garden/index.mjs',
      `import { appendFileSync } from 'node:fs';${GARDEN.replace('Tends.', 'Cares.')}`,
    );
    await write('tools/broken/index.mjs', 'throw new Error("no water")');
    const { body } = await server.post('/tools/reload', {});
    expect(body).toMatchObject({ success: true, tools_count: 3, message: 'Successfully reloaded 3 tools' });
    expect(body.problems).toEqual([
      { source: 'native:broken', message: expect.stringContaining('no water') },
    ]);
    const after = (await server.get('/tools/tend')).body;
    expect(after.description).toBe('Cares.');
    expect(after.fingerprint).not.toBe(before);
  });
});
