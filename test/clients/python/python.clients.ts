// The clients of Python, each pointed at this server by its address and nothing else: one file of pytest for each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { answers } from './answers.ts';
import { openPythonEnvironment } from './python-environment.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder).filter((name) => /^test_\w+\.py$/.test(name));
const environment = openPythonEnvironment();
if ('missing' in environment) {
  const line = '='.repeat(100);
  process.stdout.write(`${line}\nSKIPPED: the clients of Python. ${environment.missing}\n${line}\n`);
}

describe.skipIf('missing' in environment)('in Python', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    server.ollama.setDefault(answers);
  });
  afterAll(() => server.close());

  it.each(files)('%s', async (file) => {
    expect(await runPytest(file, server.url)).toMatch(/\d+ passed/);
  });
});

/** @throws Error all that it has written, where a test fails */
async function runPytest(file: string, url: string): Promise<string> {
  const { python } = Object(environment);
  const env = {
    ...process.env,
    MOCHI_URL: url,
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
    PYTHONDONTWRITEBYTECODE: '1',
    // Nothing is to be fetched or told while they run.
    LITELLM_LOCAL_MODEL_COST_MAP: 'True',
    OPENAI_AGENTS_DISABLE_TRACING: '1',
    LANGSMITH_TRACING: 'false',
  };
  const args = ['-m', 'pytest', '-q', '--tb=short', '-p', 'no:cacheprovider', '-W', 'ignore', file];
  const child = spawn(python, args, { cwd: folder, env });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(output);
  return output;
}
