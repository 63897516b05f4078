// The commands about engines and models, and the conversation from the terminal, as processes.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startRawListener, startTlsListener } from '../fake-ollama/raw-listener.ts';
import { finalFields, script } from '../fake-ollama/script-modifiers.ts';
import { runCommand, startCommand } from '../support/spawned-server.ts';
import { openTerminal, type Terminal } from '../support/terminal.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { ggufBytes, SMALL_MODEL } from '../support/write-gguf.ts';
import { behave } from '../turns/behave.ts';

const CERTIFICATE = fileURLToPath(new URL('../fixtures/self-signed/cert.pem', import.meta.url));
// Processes start slowly on a machine that does much else.
const SLOW_MACHINE_MS = 90_000;

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(behave);
  folder = await mkdtemp(join(tmpdir(), 'mochi-commands-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const env = () => ({
  MOCHI_OLLAMA_HOST: server.ollama.url,
  MOCHI_PORT: new URL(server.url).port,
  MOCHI_DATA_DIR: folder,
});

async function talk(...args: string[]): Promise<Terminal> {
  const terminal = openTerminal(['chat', ...args], { env: env() });
  await terminal.shows(/\/help shows/);
  return terminal;
}

describe('chat', { timeout: SLOW_MACHINE_MS }, () => {
  it('shows what a model or a title would do to the terminal, and does not do it', async () => {
    const attack = 'Hi\u001b]0;owned\u0007\u001b[2J\u009b5n\rover';
    const shown = /Hi␛]0;owned␇␛\[2J<9B>5n␍over/;
    server.ollama.setDefault(() => text(attack));
    await server.chat(await server.createSession(), { message: attack });
    const terminal = await talk();
    terminal.type('Hello');
    await terminal.shows(shown);
    terminal.type('/sessions');
    await terminal.shows(shown);
    terminal.type('/quit');
    await terminal.exited;
    const { status, stdout } = await runCommand(['chat', 'Hello'], { env: env(), input: '' });
    server.ollama.setDefault(behave);
    expect(status).toBe(0);
    expect(stdout).not.toMatch(/[^\P{Cc}\n\t]/u);
    expect(stdout).toMatch(shown);
  });

  it('says of an answer that was cut that it was', async () => {
    server.ollama.reply(script(text('One, two'), finalFields({ done_reason: 'length' })));
    const terminal = await talk();
    terminal.type('Count');
    await terminal.shows(/One, two\n\(cut: finish_reason length; \/continue goes on\)\n/);
    terminal.type('/quit');
    await terminal.exited;
  });

  it('is a conversation: messages, a new answer, an edit, a stop', async () => {
    const terminal = await talk('--model', 'qwen3:14b');
    terminal.type('Hello');
    await terminal.shows(/Fine\.\n/);
    terminal.type('/regenerate');
    await terminal.shows(/Fine\.\n/);
    terminal.type('/edit Good morning');
    await terminal.shows(/Fine\.\n/);
    terminal.type('/sessions');
    await terminal.shows(/\*1 {2}Good morning {2}\(just now, 2 messages\)\n[^]*nothing: $/);
    terminal.type('');
    const [, sessionId = ''] = /Session (\w+) with/.exec(terminal.screen) ?? [];
    const session = (await server.get(`/sessions/${sessionId}`)).body;
    expect(session.model).toBe('qwen3:14b');
    const { body } = await server.get(`/sessions/${sessionId}/tree`);
    const said = body.messages.map(({ role, content }: any) => `${role}: ${content}`);
    expect(said).toEqual([
      'user: Hello',
      'assistant: Fine.',
      'assistant: Fine.',
      'user: Good morning',
      'assistant: Fine.',
    ]);
    terminal.type('hang 3 tokens');
    await terminal.shows(/t2$/);
    terminal.press('\u0003');
    await terminal.shows(/\(stopped; .*\)\n/);
    terminal.type('Hello');
    await terminal.shows(/Fine\.\n/);
    terminal.type('/quit');
    expect(await terminal.exited).toBe(0);
    const again = await runCommand(['chat', '--session', sessionId], { env: env(), input: 'More' });
    expect(again).toMatchObject({ status: 0, stdout: 'Fine.\n' });
    expect(await server.messages(sessionId)).toHaveLength(8);
  });
});

describe('models and doctor', { timeout: SLOW_MACHINE_MS }, () => {
  it('show what Ollama has, and what is in its memory', async () => {
    await server.chat(await server.createSession(), { message: 'Hello' });
    const { status, stdout } = await runCommand(['models'], { env: env() });
    expect(status).toBe(0);
    expect(stdout).toContain(`Engine: ollama (${server.ollama.url})`);
    expect(stdout).toMatch(/^llama3\.2:latest .* 131072 +completion tools +window 8192$/m);
    const doctor = await runCommand(['doctor'], { env: env() });
    expect(doctor).toMatchObject({ status: 0, stderr: '' });
    expect(doctor.stdout).toMatch(/ok {2}Server: .* runs at /);
    expect(doctor.stdout).toMatch(/ok {2}Engine: ollama .*version 0\.33\.0/);
    expect(doctor.stdout).toMatch(/In memory: llama3\.2:latest, window 8192 tokens/);
    expect(doctor.stdout).toMatch(/\nNothing to do\.\n$/);
  });

  it('say what to do where nothing is there', async () => {
    const nothing = {
      MOCHI_OLLAMA_HOST: '127.0.0.1:9',
      MOCHI_PORT: '9',
      MOCHI_DATA_DIR: join(folder, 'none'),
    };
    const ollama = await runCommand(['doctor'], { env: nothing });
    expect(ollama.status).toBe(1);
    expect(ollama.stdout).toMatch(/^BAD Engine: ollama .* is not there$/m);
    expect(ollama.stdout).toMatch(/ - Start Ollama, or name it with MOCHI_OLLAMA_HOST/);
    const embedded = await runCommand(['doctor'], {
      env: { ...nothing, MOCHI_ENGINE: 'auto', MOCHI_DOWNLOADS_ENABLED: 'false' },
    });
    expect(embedded.status).toBe(1);
    expect(embedded.stdout).toMatch(/ - Fetching is switched off\. By hand: npm install .*node-llama-cpp@/);
    expect(embedded.stdout).toMatch(/ - Fetch one: mochi-server pull qwen3-0\.6b/);
    const models = await runCommand(['models'], { env: nothing });
    expect(models).toMatchObject({ status: 1, stderr: expect.stringContaining('could not be reached') });
  });

  it('doctor tells why what listens is no Ollama, and a certificate can be named', async () => {
    const version = '{"version":"0.33.0","models":[]}';
    const secret = await startTlsListener(
      `HTTP/1.1 200 OK\r\ncontent-length: ${version.length}\r\n\r\n${version}`,
    );
    const shell = await startRawListener('SSH-2.0-OpenSSH_9.2\r\n');
    const at = (url: string) => ({
      MOCHI_OLLAMA_HOST: url,
      MOCHI_ENGINE: 'auto',
      MOCHI_PORT: '9',
      MOCHI_DATA_DIR: join(folder, 'strange'),
    });
    const untrusted = await runCommand(['doctor'], { env: at(`https://localhost:${secret.port}`) });
    expect(untrusted.status).toBe(1);
    expect(untrusted.stdout).toMatch(
      /^BAD Engine: ollama .*certificate is not trusted.*NODE_EXTRA_CA_CERTS/m,
    );
    expect(untrusted.stdout).toMatch(/ - Mend what the line about the engine says/);
    expect(untrusted.stdout).not.toMatch(/Start Ollama|Models: none|embedded engine:/i);
    const trusted = await runCommand(['doctor'], {
      env: { ...at(`https://localhost:${secret.port}`), NODE_EXTRA_CA_CERTS: CERTIFICATE },
    });
    expect(trusted.stdout).toMatch(/^ok {2}Engine: ollama .*version 0\.33\.0$/m);
    const strange = await runCommand(['doctor'], { env: at(`127.0.0.1:${shell.port}`) });
    expect(strange.stdout).toMatch(/^BAD Engine: ollama .*no HTTP\/1\.1: "SSH-2\.0-OpenSSH_9\.2"/m);
    await Promise.all([secret.close(), shell.close()]);
  });

  it('name no Ollama where the embedded engine is meant', async () => {
    const bare = {
      MOCHI_ENGINE: 'auto',
      MOCHI_OLLAMA_HOST: '127.0.0.1:9',
      MOCHI_DOWNLOADS_ENABLED: 'false',
      MOCHI_PORT: '9',
      MOCHI_DATA_DIR: join(folder, 'bare'),
    };
    const models = await runCommand(['models'], { env: bare });
    expect(models).toMatchObject({ status: 0, stderr: '' });
    expect(models.stdout).toMatch(/^Engine: embedded \(in a process of its own\)\nNo models/);
    const doctor = await runCommand(['doctor'], { env: bare });
    expect(doctor.stdout).toMatch(
      /^BAD Engine: embedded \(--engine auto\), in a process of its own: is not there$/m,
    );
  });

  it('doctor names a database that cannot be used', async () => {
    const dataDir = join(folder, 'damaged');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'mochi.db'), 'this is no database'.repeat(100));
    const { status, stdout } = await runCommand(['doctor'], { env: { ...env(), MOCHI_DATA_DIR: dataDir } });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^BAD Database: /m);
  });
});

describe('pull', { timeout: SLOW_MACHINE_MS }, () => {
  it('fetches a file from an address, verified, for the embedded engine', async () => {
    const model = ggufBytes(SMALL_MODEL);
    const hub = createServer((_request, response) => response.end(model));
    await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/Some-Model.gguf`;
    const embedded = { ...env(), MOCHI_ENGINE: 'embedded' };
    const wrong = await runCommand(['pull', url, '--sha256', '0'.repeat(64)], { env: embedded });
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('checksum is wrong') });
    const sum = createHash('sha256').update(model).digest('hex');
    const right = await runCommand(['pull', url, '--sha256', sum], { env: embedded });
    expect(right).toMatchObject({ status: 0, stderr: expect.stringContaining('Some-Model is ready') });
    expect(await readdir(join(folder, 'models'))).toEqual(['Some-Model.gguf']);
    const { stdout } = await runCommand(['models'], { env: embedded });
    expect(stdout).toMatch(/^Some-Model +\d.* MB +Q4_K_M +8192 +completion +-$/m);
    hub.close();
  });

  it('asks Ollama for any other name', async () => {
    expect(await runCommand(['pull', 'fresh-model'], { env: env() })).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect((await server.get('/models/fresh-model')).status).toBe(200);
    const missing = await runCommand(['pull', 'missing'], { env: env() });
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('file does not exist') });
  });
});

describe('a start with something that is no Ollama', { timeout: SLOW_MACHINE_MS }, () => {
  it('does not take the embedded engine for it, and logs what is wrong, as it does for a turn', async () => {
    const proxy = await startRawListener('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
    const running = startCommand(
      ['--port', '0', '--data-dir', join(folder, 'proxied'), '--log-format', 'json'],
      {
        env: { MOCHI_ENGINE: 'auto', MOCHI_OLLAMA_HOST: `127.0.0.1:${proxy.port}` },
      },
    );
    await running.printed('stdout', /is ready at \S+ \(Ollama: http:/);
    await running.printed('stderr', /"level":40.*"code":"ollama_error".*answers 401: it wants credentials/);
    expect((await running.kill('SIGTERM')).status).toBe(0);
    await proxy.close();
  });
});

describe('a start without Ollama', { timeout: SLOW_MACHINE_MS }, () => {
  it('says which engine it uses, and what to try', async () => {
    const running = startCommand(['--port', '0', '--data-dir', join(folder, 'first')], {
      env: { MOCHI_ENGINE: 'auto', MOCHI_OLLAMA_HOST: '127.0.0.1:9', MOCHI_DOWNLOADS_ENABLED: 'false' },
    });
    const [, url] = await running.printed('stdout', /is ready at (\S+) \(embedded engine, no model yet/);
    await running.printed('stdout', /\ncurl .*\n$/);
    const { status, stdout } = await running.kill('SIGTERM');
    expect(status).toBe(0);
    expect(stdout).toContain('No Ollama answers at http://127.0.0.1:9, so the embedded engine answers.');
    expect(stdout).toMatch(/mochi-server doctor .*says what to do/);
    expect(stdout).toContain(`${url}/api/v1/chat/$(curl `);
  });
});
