// The programs under test, each a process of its own, and the folders they use: nothing stays behind.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A program that listens. */
export interface Program {
  readonly url: string;
  readonly pid: number;
  /** From the spawn to the line that names the URL. */
  readonly readyMs: number;
  /** When it was spawned, by this process's clock. */
  readonly spawnedAt: number;
  /** @returns the exit status; null when a signal had to end it */
  stop(): Promise<number | null>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

const children = new Set<Child>();
const folders = new Set<string>();

const root = fileURLToPath(new URL('..', import.meta.url));
const READY_TIMEOUT_MS = 60_000;

/** Which server is measured. */
export interface ServerKind {
  /** From source, or as it is shipped. */
  readonly build: 'src' | 'dist';
  /** Where its CPU profiles go; null: none is taken. */
  readonly profileDir: string | null;
  /** Of which checkout; default: this one. */
  readonly root?: string;
}

export interface ServerOptions {
  readonly kind: ServerKind;
  readonly dataDir: string;
  readonly ollamaUrl: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Other scenarios measure turns: what would begin between two of them is the business of its own. */
const WITHOUT_BACKGROUND_JOBS = { MOCHI_SUMMARIZATION_ENABLED: 'false', MOCHI_TITLES_ENABLED: 'false' };

/** `mochi-server` as arguments of Node. */
export function commandOf({ build, root: checkout = root }: ServerKind): readonly string[] {
  return [join(checkout, build === 'src' ? 'src/bin.ts' : 'dist/bin.js')];
}

/** The server as in production: INFO log as JSON into a pipe that is read and thrown away. */
export function startServer({ kind, dataDir, ollamaUrl, env }: ServerOptions): Promise<Program> {
  const profile = kind.profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${kind.profileDir}`];
  const flags = ['--port', '0', '--data-dir', dataDir, '--ollama-host', ollamaUrl];
  return start([...profile, ...commandOf(kind), ...flags], { ...WITHOUT_BACKGROUND_JOBS, ...env });
}

export function startFakeOllama(pacedTokens = 90): Promise<Program> {
  return start([join(root, 'test/fake-ollama/main.ts'), '--paced-tokens', String(pacedTokens)]);
}

export function startRelay(ollamaUrl: string, mode: 'events' | 'bytes'): Promise<Program> {
  return start([join(root, 'bench/bare-relay.ts'), '--mode', mode, '--ollama-host', ollamaUrl]);
}

export function hasBuild(): boolean {
  return existsSync(join(root, 'dist/bin.js'));
}

/** A folder that is gone when the benchmark ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mochi-bench-'));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** Ends every process and removes every folder at once; safe in a signal handler. */
export function cleanUp(): void {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) removeFolder(folder);
}

/** CPU time in microseconds since the start, in steps of 10 ms; null where the system does not tell. */
export function cpuMicroseconds(program: Program): number | null {
  try {
    const text = readFileSync(`/proc/${program.pid}/stat`, 'utf8');
    // The name in parentheses may hold blanks; user and system time are fields 14 and 15.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return null;
  }
}

/** Resident memory in MB; null where the system does not tell. */
export function residentMegabytes(program: Program): number | null {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}

/** Open file descriptors; null where the system does not tell. */
export function openFiles(program: Program): number | null {
  try {
    return readdirSync(`/proc/${program.pid}/fd`).length;
  } catch {
    return null;
  }
}

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
  });
  children.add(child);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (status) => {
      children.delete(child);
      resolve(status);
    });
  });
  const url = await readUrl(child);
  return {
    url,
    // It has said something, so it runs.
    pid: child.pid as number,
    readyMs: performance.now() - spawnedAt,
    spawnedAt,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      const status = await exited;
      clearTimeout(timer);
      return status;
    },
  };
}

/** What the user has set for a server of their own must not change what is measured. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MOCHI_') && name !== 'NODE_OPTIONS',
  );
  // Nothing is fetched because a scenario has no Ollama.
  return { ...Object.fromEntries(kept), MOCHI_ENGINE: 'ollama' };
}

/** The first URL that the program prints; from then on its output is read and thrown away. */
function readUrl(child: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    let complaints = '';
    const timer = setTimeout(() => reject(new Error(`not ready: ${complaints}`)), READY_TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`a program ended with ${code} before it was ready: ${complaints}`));
    });
    child.stderr.on('data', (data: Buffer) => {
      complaints = (complaints + data.toString()).slice(-2000);
    });
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      const url = /http:\/\/[^\s)]+/.exec(said)?.[0];
      if (url === undefined) return;
      clearTimeout(timer);
      for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners('data').resume();
      resolve(url);
    });
  });
}
