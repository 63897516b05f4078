// What docs/scaling.md has to type for plain processes, as it stands there: run by a shell, with other ports and another
// database.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { gateAfter, script } from '../fake-ollama/script-modifiers.ts';
import { findPrograms, type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { readEvents } from '../support/read-events.ts';
import { WITHOUT_BACKGROUND_JOBS } from '../support/spawned-server.ts';
import { createClient } from '../support/test-client.ts';
import { databaseUrl } from '../support/test-database.ts';

const page = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8');

/** The first commands under a heading. */
function typedUnder(heading: string): string {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [, block = ''] = /^```sh\n([^]*?)^```$/m.exec(section) ?? [];
  return block;
}

let postgres: OwnPostgres;
let ollama: FakeOllama;
let folder: string;
beforeAll(async () => {
  const own = await startOwnPostgres();
  if (own === null) throw new Error('There is no PostgreSQL on this machine.');
  postgres = own;
  ollama = await startFakeOllama();
  folder = mkdtempSync(join(tmpdir(), 'mochi-scaling-'));
  // As `npm install` would make it.
  const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`;
  writeFileSync(join(folder, 'mochi-server'), command, { mode: 0o755 });
}, 60_000);
afterAll(async () => {
  await ollama.close();
  await postgres.stop();
  rmSync(folder, { recursive: true });
});

/** That of the page is somebody else's; a port of the page may be taken here. */
function here(commands: string): string {
  return commands
    .replaceAll(/'postgres:\/\/[^']*'/g, `'${databaseUrl(postgres.url, 'chats')}'`)
    .replaceAll(/--port \d+/g, '--port 0');
}

function environment(): NodeJS.ProcessEnv {
  const { hostname, port, username } = new URL(postgres.url);
  return {
    ...WITHOUT_BACKGROUND_JOBS,
    PATH: [folder, findPrograms() ?? '', process.env['PATH']].join(delimiter),
    HOME: folder,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    MOCHI_OLLAMA_HOST: ollama.url,
    MOCHI_PORT: '0',
    MOCHI_ENGINE: 'ollama',
  };
}

/** What it prints from now on, until so many servers say that they are ready. @returns their addresses */
async function readyServers(shell: ChildProcess, count: number): Promise<string[]> {
  let printed = '';
  return new Promise((resolve, reject) => {
    const note = (piece: Buffer) => {
      printed += piece;
      const urls = Array.from(printed.matchAll(/is ready at (\S+) \(/g), ([, url = '']) => url);
      if (urls.length === count) resolve(urls);
    };
    shell.stdout?.on('data', note);
    shell.stderr?.on('data', note);
    shell.once('exit', () => reject(new Error(printed)));
  });
}

function run(commands: string): { readonly shell: ChildProcess; readonly ended: Promise<number | null> } {
  const shell = spawn('bash', ['-c', commands], { cwd: folder, env: environment() });
  const ended = new Promise<number | null>((resolve) => {
    shell.once('exit', resolve);
  });
  return { shell, ended };
}

it('PostgreSQL in place of the file: made, looked at, and served from', async () => {
  const lines = here(typedUnder('PostgreSQL in place of the file')).trimEnd().split('\n');
  const server = lines.pop() ?? '';
  const setUp = lines.join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', setUp], { cwd: folder, env: environment() });
  expect(stdout).toContain('/chats');
  const exported = lines.find((line) => line.startsWith('export ')) ?? '';
  const { shell, ended } = run(`${exported}\nexec ${server}`);
  const [url = ''] = await readyServers(shell, 1);
  const client = createClient(() => url);
  ollama.reply(text('From PostgreSQL.'));
  expect((await client.chat(await client.createSession(), { message: 'Hello' })).body.message.content).toBe(
    'From PostgreSQL.',
  );
  shell.kill('SIGTERM');
  expect(await ended).toBe(0);
}, 60_000);

it('several servers: three start, a turn of one is watched at another, and kill ends them', async () => {
  const { shell, ended } = run(
    `${here(typedUnder('Several servers'))}\nread -r\nkill $(jobs -p)\nwait $(jobs -p)`,
  );
  const urls = await readyServers(shell, 3);
  expect(new Set(urls).size).toBe(3);
  const [one, other] = urls.map((url) => createClient(() => url));
  if (one === undefined || other === undefined) throw new Error('There are three.');
  const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
  ollama.reply(script(text('Seen ', 'from there.'), gateAfter(1, held)));
  const sessionId = await one.createSession();
  const asked = { message: 'Hello', on_disconnect: 'continue' };
  const begun = await one.stream(`/chat/${sessionId}/stream`, asked);
  const turnId = begun.headers.get('x-turn-id');
  const watched = readEvents(await fetch(`${other.url}/api/v1/turns/${turnId}/stream`));
  let seen = '';
  for await (const { event, data } of watched) {
    if (event === 'content_delta') seen += data.content;
    if (seen === 'Seen ') goOn();
  }
  expect(seen).toBe('Seen from there.');
  shell.stdin?.end('\n');
  expect(await ended).toBe(0);
  for (const url of urls) await expect(fetch(`${url}/livez`)).rejects.toThrow();
}, 60_000);
