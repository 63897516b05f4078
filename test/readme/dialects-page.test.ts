// The examples of docs/dialects.md that are code, as they stand there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const page = readFileSync(new URL('../../docs/dialects.md', import.meta.url), 'utf8');
const root = fileURLToPath(new URL('../..', import.meta.url));
const codeOf = (language: string) =>
  Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')),
    ([, code = '']) => code,
  );
const [curl = ''] = codeOf('sh').filter((code) => code.startsWith('curl'));

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function run(command: string, args: readonly string[], code: string) {
  const child = spawn(command, args, { cwd: root });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  child.stdin.end(code.replaceAll(/(?:http:\/\/)?localhost:8000/g, server.url));
  const [status] = await once(child, 'close');
  return { status, ...output };
}

const PARIS = 'The capital of France is Paris.';

describe('docs/dialects.md', () => {
  it('shows official SDKs that are answered', async () => {
    const scripts = codeOf('js');
    expect(scripts).toHaveLength(2);
    for (const script of scripts) {
      expect(await run(process.execPath, ['--input-type=module', '-'], script)).toEqual({
        status: 0,
        stdout: expect.stringMatching(new RegExp(`^${PARIS}\n${PARIS}\n?$`)),
        stderr: '',
      });
    }
  });

  it('shows one message that is a whole request to a session of a name', async () => {
    for (const length of [2, 4]) {
      const { status, stdout } = await run('sh', ['-s'], curl.replace('curl -s', 'curl -si'));
      expect(status).toBe(0);
      const [, session = ''] = /^x-mochi-session: (\w+)/m.exec(stdout) ?? [];
      expect(await server.messages(session)).toHaveLength(length);
    }
  });

  it('gives clients addresses that are answered', async () => {
    const found = page.matchAll(/http:\/\/(?:localhost|host\.docker\.internal|YOUR-MACHINE):8000([\w/-]*)/g);
    const bases = new Set(Array.from(found, ([, base = '']) => base));
    expect(bases).toEqual(new Set(['/v1', '', '/ai/chat', '/s/auto/v1', '/s/auto', '/s/my-workflow/v1']));
    for (const base of bases) {
      const asked = base.endsWith('/v1') ? '/models' : base === '/ai/chat' ? '/nobody/stream' : '/api/tags';
      const { status } = await fetch(`${server.url}${base}${asked}`);
      expect([base, status]).toEqual([base, base === '/ai/chat' ? 204 : 200]);
    }
  });
});
