// The README's commands, run as they stand there, one shell for all of them as a reader would have.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const commands = [...readme.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

/** All of them, without what is said about them. */
const typed = commands.join('\n').replaceAll(/^#.*$/gm, '');

/** Separates the outputs of the blocks; no JSON and no event can hold it. */
const MARK = '\u0001';

/** Real tools first; the stand-ins serve a machine that has only Node and npm. */
function pathWithStandIns(): string {
  const standIns = fileURLToPath(new URL('./bin', import.meta.url));
  return [process.env['PATH'], dirname(process.execPath), standIns].join(delimiter);
}

describe('README', () => {
  let server: TestServer;
  let outputs: string[];

  beforeAll(async () => {
    server = await startTestServer();
    const script = commands
      .map((text) => text.replaceAll('http://localhost:8000', server.url))
      .join(`\nprintf '${MARK}'\n`);
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      env: { ...process.env, PATH: pathWithStandIns() },
    });
    outputs = stdout.split(MARK);
  });
  afterAll(() => server.close());

  it('shows the answer that its first conversation gives, key by key', () => {
    const shown = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '');
    const given = JSON.parse(outputs[0] ?? '');
    expect(shapeOf(given)).toEqual(shapeOf(shown));
    expect(given.message.content).toBe(shown.message.content);
    expect(given.context_window).toEqual(shown.context_window);
    // Which model it is depends on the machine.
    expect({ ...given.context, model: null }).toEqual({ ...shown.context, model: null });
  });

  it('streams the events that it draws', () => {
    const names = [...(outputs[1] ?? '').matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(names[0]).toBe('turn_start');
    expect(names.at(-1)).toBe('done');
    const drawn = [...readme.matchAll(/^[├└]─ (\w+)/gm)].map(([, name]) => name);
    expect(drawn).toEqual(
      expect.arrayContaining([...new Set(names)].filter((name) => name !== 'turn_start')),
    );
  });

  it('creates a session with a system prompt and answers in it', async () => {
    const [first, pirate] = [outputs[0], outputs[2]].map((output) => JSON.parse(output ?? ''));
    expect(pirate).toMatchObject({ message: { role: 'assistant' } });
    // Its own session, and not the one of before.
    expect(pirate.session_id).not.toBe(first.session_id);
    const [prompt, said] = await server.messages(pirate.session_id);
    expect(prompt).toMatchObject({ role: 'system', content: expect.stringMatching(/pirate/) });
    expect(said).toMatchObject({ role: 'user', content: 'Hello!' });
  });

  it('regenerates, goes on and shows the history', () => {
    const [regenerated, first, second, history] = parseAll(outputs[3] ?? '');
    for (const answer of [regenerated, first, second]) expect(answer).toHaveProperty('message.content');
    const roles = history.messages.map(({ role }: { role: string }) => role);
    expect(roles).toEqual(Array.from({ length: roles.length / 2 }, () => ['user', 'assistant']).flat());
    // One of the answers was made twice: it has a sibling, and the path shows one of them.
    expect(history.messages.filter((message: any) => message.sibling_count === 2)).toHaveLength(1);
  });

  it('needs nothing but curl and what every shell has', () => {
    const words = typed.match(/(?<=^|[|(] ?)[a-z]\w+(?= )/gm);
    expect([...new Set(words)].toSorted()).toEqual(['curl', 'cut']);
  });

  it('names no model that a fresh machine does not have', () => {
    expect(typed).not.toMatch(/"model"/);
  });

  it('names every call of the API', () => {
    const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));
    const paths = Object.keys(document.paths).filter((path) => path.startsWith('/api/v1'));
    const named = readme.replaceAll(/\{\w+\}/g, '{}');
    for (const path of paths)
      expect(named).toContain(path.replace('/api/v1', '').replaceAll(/\{\w+\}/g, '{}'));
  });
});

/** Outputs of several commands in a row: JSON documents without separators. */
function parseAll(text: string): any[] {
  return JSON.parse(`[${text.trim().replaceAll(/\}\s*(?=\{"session_id|\{"from)/g, '},')}]`);
}

/** The keys at every level, in order, with the kind of each value. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, member]) => [key, shapeOf(member)]);
}
