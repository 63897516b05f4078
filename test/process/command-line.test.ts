// The command line: what it prints, where, and with which status it ends.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliOptions } from '../../src/config.ts';
import { runCommand, startCommand } from '../support/spawned-server.ts';

// Processes start slowly on a machine that does much else.
describe('mochi-server', { timeout: 90_000 }, () => {
  let folder: string;
  let dataDir: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mochi-cli-'));
    dataDir = join(folder, 'data');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('--version prints the name and the version', async () => {
    expect(await runCommand(['--version'])).toEqual({
      status: 0,
      signal: null,
      stdout: 'mochi-server 0.1.0\n',
      stderr: '',
    });
  });

  it.each([[['--help']], [['serve', '--help']]])(
    '%j shows every option with its variable and default',
    async (args) => {
      const { status, stdout, stderr } = await runCommand(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const shown = stdout.replace(/\s+/g, ' ');
      for (const { flags, description } of cliOptions()) {
        expect(description).toMatch(/\(MOCHI_\w+(, default .+)?\)$/);
        expect(shown).toContain(`${flags} ${description}`);
      }
      expect(shown).toContain(
        '--port <number> Port to listen on; 0 takes any free one (MOCHI_PORT, default 8000)',
      );
    },
  );

  it.each([
    ['import', '<path...>'],
    ['export', '--format'],
    ['backup', '--force'],
    ['chat', '--session'],
    ['ask', '--schema'],
    ['pull', '--sha256'],
    ['serve', '--help'],
  ])('%s --help shows what is its own before the settings that all share', async (command, own) => {
    const { status, stdout } = await runCommand([command, '--help']);
    expect([status, stdout.indexOf(own) > 0]).toEqual([0, true]);
    expect(stdout.indexOf(own)).toBeLessThan(stdout.indexOf('Settings:'));
    expect(stdout.indexOf('Settings:')).toBeLessThan(stdout.indexOf('--port <number>'));
  });

  it.each([
    ['sevre', 'serve'],
    ['imprt', 'import'],
    ['modles', 'models'],
    ['docter', 'doctor'],
  ])('answers the typo %s with the nearest command', async (typo, command) => {
    const { status, stderr } = await runCommand([typo], { env: { MOCHI_DATA_DIR: dataDir } });
    expect(status).toBe(2);
    expect(stderr).toContain(`unknown command '${typo}'`);
    expect(stderr).toContain(`Did you mean ${command}?`);
  });

  it.each([
    [['--prot', '8000'], /--prot/],
    [['sevre'], /sevre/],
    [['serve', 'now'], /now|argument/],
    [['import'], /path/],
  ])('refuses %j with a hint and exit 2', async (args, hint) => {
    const { status, stdout, stderr } = await runCommand(args, { env: { MOCHI_DATA_DIR: dataDir } });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(hint);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(dataDir)).toBe(false);
  });

  it.runIf(existsSync('/proc/self'))(
    'says why a folder cannot be made, where the system does not',
    async () => {
      const { status, stderr } = await runCommand(['--data-dir', '/proc/nowhere/data', '--port', '0']);
      expect([status, stderr]).toEqual([2, expect.stringContaining('/proc/nowhere')]);
    },
  );

  it('goes on quietly when nobody reads what it prints any more', async () => {
    const bin = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));
    const args = ['-c', '"$0" "$1" --help | true; exit "${PIPESTATUS[0]}"', process.execPath, bin];
    const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('names every bad value at once, before anything is made', async () => {
    const { status, stdout, stderr } = await runCommand(
      ['--port', 'http', '--log-level=loud', '--data-dir', dataDir],
      {
        env: {
          MOCHI_OLLAMA_HOST: 'ftp://user:secret-word@host',
          MOCHI_API_KEYS: 'secret word',
          MOCHI_MAX_BODY_BYTES: '-1',
          MOCHI_PROT: '1',
        },
      },
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    const named = [
      '--port',
      '--log-level',
      'MOCHI_OLLAMA_HOST',
      'MOCHI_API_KEYS',
      'MOCHI_MAX_BODY_BYTES',
      'MOCHI_PROT',
    ];
    expect(lines).toHaveLength(named.length);
    for (const name of named) expect(lines.filter((line) => line.includes(`${name} `))).toHaveLength(1);
    for (const line of lines) expect(line).toMatch(/^mochi-server: /);
    expect(stderr).not.toMatch(/secret/);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('says that a port is in use in one line, and lets the folder go', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    const { promise: listening, resolve } = Promise.withResolvers<void>();
    holder.once('listening', resolve);
    await listening;
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { status, stdout, stderr } = await runCommand(['--port', `${port}`], {
      env: { MOCHI_DATA_DIR: dataDir },
    });
    holder.close();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^mochi-server: .*127\\.0\\.0\\.1:${port} is in use.*\n$`));
    expect(await readdir(dataDir)).not.toContain('mochi.db-wal');
  });

  it('refuses to let other machines in without keys, unless told so', async () => {
    const args = ['--port', '0', '--host', '0.0.0.0'];
    const env = { MOCHI_DATA_DIR: join(folder, 'exposed') };
    const { status, stdout, stderr } = await runCommand(args, { env });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^mochi-server: .*MOCHI_API_KEYS.*--allow-unauthenticated.*\n$/);
    expect(existsSync(env.MOCHI_DATA_DIR)).toBe(false);

    const open = startCommand([...args, '--allow-unauthenticated'], { env });
    const [, port] = await open.printed('stdout', /http:\/\/0\.0\.0\.0:(\d+)/);
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/sessions`)).status).toBe(200);
    expect(await open.kill('SIGTERM')).toMatchObject({ status: 0 });

    const locked = startCommand(args, { env: { ...env, MOCHI_API_KEYS: 'one-key,another-key' } });
    const [, lockedPort] = await locked.printed('stdout', /http:\/\/0\.0\.0\.0:(\d+)/);
    const sessions = `http://127.0.0.1:${lockedPort}/api/v1/sessions`;
    expect((await fetch(sessions)).status).toBe(401);
    expect((await fetch(sessions, { headers: { authorization: 'Bearer another-key' } })).status).toBe(200);
    expect(await locked.kill('SIGTERM')).toMatchObject({ status: 0 });
  });

  it('starts with a password of Ollama that holds a stray %, or refuses it in plain words', async () => {
    const running = startCommand(['--port', '0'], {
      env: { MOCHI_DATA_DIR: join(folder, 'percent'), MOCHI_OLLAMA_HOST: 'http://user:100%@127.0.0.1:1' },
    });
    const url = running.printed('stdout', /is ready at (\S+) /).then(([, found]) => found);
    await Promise.race([url.then((found) => fetch(`${found}/livez`)), running.exited]);
    const { status, stderr } = await running.kill('SIGTERM');
    expect(stderr).not.toMatch(/^\s+at |100%/m);
    expect([0, 2]).toContain(status);
  });
});
