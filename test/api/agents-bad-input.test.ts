// Agents as anybody may write them, over HTTP: whatever a folder holds, it is shown with a reason, and harms no other.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeTool, skill, writeFiles } from '../support/agent-world.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const BOMB = `---
a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
---
Boom.
`;

/** What SKILL.md holds → what the reason must speak of. Each has a tool that works. */
const BAD_TEXTS: Readonly<Record<string, readonly [string | Buffer, RegExp]>> = {
  empty: ['', /front matter/],
  blank: [' \n\n', /front matter/],
  'no-front-matter': ['# Reviewer\n\nYou review.', /front matter/],
  'text-before': ['Hello\n---\ndescription: x\n---\n', /front matter/],
  unclosed: ['---\ndescription: Works.\nYou review.', /closed|closing|ends|---/],
  'no-description': ['---\nmodel: qwen3:8b\n---\nYou review.', /description/],
  'blank-description': ['---\ndescription: "   "\n---\nYou review.', /description/],
  'null-description': ['---\ndescription:\n---\nYou review.', /description/],
  'list-description': ['---\ndescription: [a, b]\n---\nYou review.', /description/],
  'front-list': ['---\n- description\n---\n', /./],
  bomb: [BOMB, /./],
  deep: [`---\nx: ${'['.repeat(5000)}\n---\n`, /./],
  'long-front': [`---\ndescription: Works.\nx: ${'y'.repeat(20_000)}\n---\n`, /16/],
  'long-file': [`---\ndescription: Works.\n---\n${'y'.repeat(300_000)}`, /256/],
  'latin-1': [Buffer.from('---\ndescription: Pr\xfcft.\n---\n', 'latin1'), /UTF-8/],
  'utf-16': [Buffer.from('\ufeff---\ndescription: Works.\n---\n', 'utf16le'), /UTF-8/],
  zeros: [Buffer.alloc(4096), /./],
};
/** Made by hand, below. */
const BAD_FILES = ['giant', 'a-folder', 'a-pipe', 'a-device', 'dangling', 'missing'];
const WITHOUT_TOOLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-tools': {},
  'tools-throw': { 'tools/index.mjs': 'throw new Error("boom");' },
  'tools-do-not-parse': { 'tools/index.mjs': 'export const = 1;' },
  'tools-are-none': { 'tools/index.mjs': 'export const one = 1;' },
  'unknown-allowed': {},
};
const BAD_NAMES = ['two words', 'grüße', 'x'.repeat(65)];
const SKIPPED = ['_template', '.hidden', 'agent_chats'];

let dataDir: string;
let server: TestServer;
let agents: Record<
  string,
  { valid: boolean; error_message: string | null; tools: string[]; warnings: string[] }
>;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mochi-bad-agents-'));
  const folder = join(dataDir, 'agents');
  for (const name of ['good', ...Object.keys(BAD_TEXTS), ...BAD_FILES, ...BAD_NAMES, ...SKIPPED]) {
    writeFiles(join(folder, name), { 'tools/index.mjs': nativeTool('work') });
  }
  for (const name of ['good', ...BAD_NAMES, ...SKIPPED])
    writeFiles(join(folder, name), { 'SKILL.md': skill() });
  for (const [name, [text]] of Object.entries(BAD_TEXTS)) writeFileSync(join(folder, name, 'SKILL.md'), text);
  for (const [name, files] of Object.entries(WITHOUT_TOOLS)) {
    const front = name === 'unknown-allowed' ? 'allowed-tools: nothing mcp__nobody *_x' : '';
    writeFiles(join(folder, name), { 'SKILL.md': skill(front), ...files });
  }
  const place = (name: string) => join(folder, name, 'SKILL.md');
  writeFileSync(place('giant'), skill());
  truncateSync(place('giant'), 1024 ** 3);
  mkdirSync(place('a-folder'));
  execFileSync('mkfifo', [place('a-pipe')]);
  symlinkSync('/dev/zero', place('a-device'));
  symlinkSync(join(folder, 'nowhere'), place('dangling'));
  writeFileSync(join(folder, 'a-file'), skill());
  server = await startTestServer({ dataDir });
  agents = (await server.get('/agents')).body.agents;
});
afterAll(async () => {
  await server.close();
  await rm(dataDir, { recursive: true });
});

describe('a folder', () => {
  it.each(Object.entries(BAD_TEXTS))('%s: is shown with its reason', async (name, [, reason]) => {
    expect(agents[name]).toMatchObject({ valid: false, error_message: expect.stringMatching(reason) });
  });

  it.each([...BAD_FILES, ...Object.keys(WITHOUT_TOOLS)])('%s: is shown with its reason', (name) => {
    expect(agents[name]).toMatchObject({ valid: false, error_message: expect.stringMatching(/\w+ \w+/) });
  });

  it.each(BAD_NAMES)('%s: is shown with its reason, which is its name', (name) => {
    expect(agents[name]).toMatchObject({ valid: false, error_message: expect.stringContaining('name') });
  });

  it.each(SKIPPED)('%s: is none', async (name) => {
    expect(agents).not.toHaveProperty([name]);
    const { status, body } = await server.get(`/agents/agent/${encodeURIComponent(name)}`);
    expect([status, body.detail.error.code]).toEqual([404, 'agent_not_found']);
  });

  it('whatever is wrong with it, the others work, and nobody is told where it lies or how it failed inside', async () => {
    expect(agents['good']).toMatchObject({ valid: true, error_message: null, tools: ['work'] });
    expect(agents).not.toHaveProperty('a-file');
    const valid = Object.entries(agents).flatMap(([name, agent]) => (agent.valid ? [name] : []));
    expect(valid).toEqual(['good']);
    expect(JSON.stringify(agents)).not.toMatch(new RegExp(`${dataDir}|node:internal|\\bat .*:\\d+:\\d+`));
  });

  it('that cannot work is one that can be looked at', async () => {
    for (const name of Object.keys(agents)) {
      const { status, body } = await server.get(`/agents/agent/${encodeURIComponent(name)}`);
      expect([name, status, body.valid]).toEqual([name, 200, name === 'good']);
    }
  });

  it('is told again by a reload, which reads the good ones as well', async () => {
    const { status, body } = await server.post('/agents/reload');
    expect([status, body.success, body.agents_count]).toEqual([200, true, 1]);
    const told = new Set(body.problems.map(({ source }: { source: string }) => source));
    for (const [name, { valid }] of Object.entries(agents)) {
      if (!valid) expect(told).toContain(`agent:${name}`);
    }
  });
});

describe('enabled_agents', () => {
  const names = ['good', 'bomb', 'nobody', '__proto__', '../good', 'two words', 'good', ''];

  it('are stored as they are said, and those that can work are named in the status', async () => {
    const id = await server.createSession({ agent_settings: { enabled_agents: names } });
    expect((await server.get(`/sessions/${id}`)).body.agent_settings.enabled_agents).toEqual(names);
    expect((await server.get(`/sessions/${id}/status`)).body).toMatchObject({
      agents_enabled: true,
      enabled_agents: names,
      agents_available: ['good'],
    });
    // The chat goes on as any other.
    expect((await server.chat(id, { message: 'Hello' })).status).toBe(200);
  });

  it.each([
    ['a name that is no text', [1]],
    ['a name that is far too long', ['x'.repeat(201)]],
    ['too many', Array.from({ length: 501 }, (_, index) => `a${index}`)],
    ['no list', 'good'],
  ])('%s: 422, and nothing is made', async (_what, enabled) => {
    const { status, body } = await server.post('/sessions', { agent_settings: { enabled_agents: enabled } });
    expect([status, body.detail.error.code]).toEqual([422, 'validation_error']);
  });
});
