// Agents over HTTP: which there are, what each is, a reload, and what a session says of those that it names.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeTool, skill, writeFiles } from '../support/agent-world.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const CODER = `---
name: coder
description: Reviews code.
model: qwen3:8b
license: MIT
compatibility: needs git
allowed-tools: add no_such
metadata:
  author: me
  mochi-max-iterations: "7"
---

You review code.
`;

describe('agents', () => {
  let dataDir: string;
  let server: TestServer;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mochi-agents-api-'));
    writeFiles(dataDir, {
      'tools/math/index.mjs': nativeTool('add'),
      'agents/coder/SKILL.md': CODER,
      'agents/coder/tools/index.mjs': nativeTool('count'),
      'agents/coder/references/style.md': 'Be kind.',
      'agents/broken/SKILL.md': '---\nmodel: x\n---\n',
    });
    server = await startTestServer({ dataDir });
  });
  afterAll(async () => {
    await server.close();
    await rm(dataDir, { recursive: true });
  });

  const CODER_INFO = {
    name: 'coder',
    description: 'Reviews code.',
    model: 'qwen3:8b',
    valid: true,
    error_message: null,
    tool_count: 2,
    tools: ['count', 'add'],
    warnings: ['allowed-tools: no_such is no tool that there is.'],
    metadata: { author: 'me', 'mochi-max-iterations': '7' },
  };
  const BROKEN_INFO = {
    name: 'broken',
    description: null,
    model: null,
    valid: false,
    error_message: 'SKILL.md has no description.',
    tool_count: 0,
    tools: [],
    warnings: [],
    metadata: {},
  };

  it('are all listed, those that cannot work with the reason', async () => {
    const { status, body } = await server.get('/agents');
    expect([status, body]).toEqual([200, { agents: { broken: BROKEN_INFO, coder: CODER_INFO } }]);
    expect(Object.keys(body.agents)).toEqual(['broken', 'coder']);
  });

  it('are shown one by one, whole', async () => {
    expect((await server.get('/agents/agent/coder')).body).toEqual({
      ...CODER_INFO,
      system_prompt: 'You review code.',
      license: 'MIT',
      compatibility: 'needs git',
      allowed_tools: ['add', 'no_such'],
    });
    const broken = await server.get('/agents/agent/broken');
    expect([broken.status, broken.body]).toEqual([
      200,
      { ...BROKEN_INFO, system_prompt: null, license: null, compatibility: null, allowed_tools: [] },
    ]);
  });

  it.each(['nobody', '..%2F..', 'a%00b', 'x'.repeat(300), '__proto__', '%F0%9F%98%80'])(
    'that are not there are 404: %s',
    async (name) => {
      const { status, body } = await server.get(`/agents/agent/${name}`);
      expect([status, body.detail.error.code]).toEqual([404, 'agent_not_found']);
    },
  );

  it('have tools that are nobody else’s', async () => {
    expect(Object.keys((await server.get('/tools')).body.tools)).toEqual(['add']);
    expect((await server.post('/tools/agent__coder__count/run')).status).toBe(404);
  });

  it('stand in the status of a session that names them', async () => {
    const names = ['nobody', 'coder', 'broken', 'coder'];
    const sessionId = await server.createSession({ agent_settings: { enabled_agents: names } });
    expect((await server.get(`/sessions/${sessionId}/status`)).body).toMatchObject({
      agents_enabled: true,
      enabled_agents: names,
      agents_available: ['coder'],
    });
    const plain = await server.createSession();
    expect((await server.get(`/sessions/${plain}/status`)).body).toMatchObject({
      agents_enabled: false,
      enabled_agents: [],
      agents_available: [],
    });
  });

  it('are read anew by a reload, which says what is not as it should be', async () => {
    writeFiles(dataDir, {
      'agents/broken/SKILL.md': skill('allowed-tools: add'),
      'agents/other/SKILL.md': '# No front matter',
      'agents/coder/tools/index.mjs': nativeTool('count_lines'),
    });
    expect((await server.get('/agents')).body.agents.broken).toEqual(BROKEN_INFO);
    const { status, body } = await server.post('/agents/reload');
    expect([status, body]).toEqual([
      200,
      {
        success: true,
        agents_count: 2,
        message: 'Successfully reloaded 2 agents',
        problems: [
          { source: 'agent:coder', message: 'allowed-tools: no_such is no tool that there is.' },
          {
            source: 'agent:other',
            message: 'SKILL.md does not begin with ---: it has no front matter.',
          },
        ],
      },
    ]);
    const { agents } = (await server.get('/agents')).body;
    expect(agents.broken).toMatchObject({ valid: true, tools: ['add'] });
    expect(agents.coder.tools).toEqual(['count_lines', 'add']);
  });

  it('that are reloaded at once all come from one reading', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.post('/agents/reload', {})));
    expect(answers.map(({ body }) => body.agents_count)).toEqual([2, 2, 2, 2, 2]);
  });

  it('know the tools of the server as they are now', async () => {
    writeFiles(dataDir, { 'tools/more/index.mjs': nativeTool('no_such') });
    await server.post('/tools/reload');
    expect((await server.get('/agents/agent/coder')).body).toMatchObject({
      tools: ['count_lines', 'add', 'no_such'],
      warnings: [],
    });
  });
});

describe('without a folder of agents', () => {
  it('there are none, and a session may name what it likes', async () => {
    const server = await startTestServer();
    expect((await server.get('/agents')).body).toEqual({ agents: {} });
    expect((await server.post('/agents/reload')).body).toMatchObject({ success: true, agents_count: 0 });
    const sessionId = await server.createSession({ agent_settings: { enabled_agents: ['coder'] } });
    expect((await server.get(`/sessions/${sessionId}/status`)).body.agents_available).toEqual([]);
    expect((await server.chat(sessionId, { message: 'Hi' })).status).toBe(200);
    await server.close();
  });
});
