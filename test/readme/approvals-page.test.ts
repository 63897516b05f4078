// What docs/tools.md says of approvals, as it stands there: its commands, run one after the other by a shell.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { askedOf, decide } from '../support/deciding.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const page = readFileSync(new URL('../../docs/tools.md', import.meta.url), 'utf8');
const section = /^## A person decides\n([^]*?)(?=^## )/m.exec(page)?.[1] ?? '';
const blocks = Array.from(section.matchAll(/^```sh\n([^]*?)^```$/gm), ([, block = '']) => block);
const decisions = Array.from(section.matchAll(/^\| `(\{.*\})` \|/gm), ([, json = '']) => JSON.parse(json));
const [, shop = ''] = /^`tools\/shop\/index\.mts`.*:\n\n```ts\n([^]*?)^```/m.exec(page) ?? [];

describe('docs/tools.md', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-approvals-page-'));
  let server: TestServer;
  beforeAll(async () => {
    const path = join(dataDir, 'tools/shop/index.mts');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, shop);
    server = await startTestServer({ dataDir });
    // On a machine that does much else a group may need more than its ten seconds.
    await eventually(
      async () => expect((await server.post('/tools/reload')).body).toMatchObject({ problems: [] }),
      { timeout: 60_000 },
    );
    server.ollama.setDefault(({ messages = [] }) => {
      const last = messages.at(-1);
      return last?.role === 'tool' ? text(`It says ${last.content}`) : toolCall('price', { item: 'tea' });
    });
  }, 90_000);
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Commands of the page, at this server; streams end after a moment. @returns what they print */
  async function shell(commands: string): Promise<string> {
    const here = commands
      .replaceAll('localhost:8000', new URL(server.url).host)
      .replaceAll('curl -sN', 'curl -sN --max-time 1')
      // The shell of the test has no jq.
      .replaceAll(
        /jq -r ([\w.[\]]+)/g,
        (_, path) => `node -pe 'JSON.parse(fs.readFileSync(0, "utf8"))${path}'`,
      );
    const { stdout } = await promisify(execFile)('bash', ['-c', `${here}\ntrue`]);
    return stdout;
  }

  it('asks, lists, decides and follows by curl', async () => {
    const [asking = '', deciding = '', following = ''] = blocks;
    expect(blocks).toHaveLength(3);
    const printed = await shell(`${asking}\n${deciding}\n${following}`);
    expect(printed).toContain('"state":"waiting"');
    expect(printed).toContain('"state":"approved"');
    const { body } = await server.get('/approvals?status=all');
    const [approval] = body.approvals;
    expect(approval).toMatchObject({ tool_name: 'price', arguments: { item: 'tea' }, state: 'approved' });
    await server.get(`/turns/${approval.turn_id}/stream`);
    const { body: turn } = await server.get(`/turns/${approval.turn_id}`);
    expect(turn.state).toBe('completed');
  });

  it.each(decisions)('shows a decision that can be made: %j', async (decision) => {
    const sessionId = await server.createSession({ tool_settings: { tools: ['price'] } });
    const path = `/chat/${sessionId}`;
    const { status } = await server.post(path, { message: 'Tea?', on_approval: 'return' });
    expect(status).toBe(202);
    const [{ confirmation_id: id, turn_id: turnId }] = await askedOf(server, sessionId);
    await decide(server, id, decision);
    await server.get(`/turns/${turnId}/stream`);
    const last = (await server.messages(sessionId)).at(-1).content;
    const ends: Record<string, string> = {
      approve: 'It says {"item":"tea","euros":3}',
      edit: 'It says Note: the user changed the arguments to {"item":"coffee"}.\n{"item":"coffee","euros":6}',
      respond: 'It says 3 euros',
      deny: "It says Tool 'price' was denied by user: Not today.",
    };
    expect(last).toBe(ends[decision.decision]);
    const { body } = await server.get(`/tool-grants?session_id=${sessionId}`);
    expect(body.grants.length > 0).toBe(decision.scope !== undefined);
    for (const { grant_id: grant } of body.grants) await server.request('DELETE', `/tool-grants/${grant}`);
  });
});
