// The real command in a process of its own: what only a whole process can show (kills, signals, limits, streams of
// output) is tested through this.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createClient, type TestClient } from './test-client.ts';

export interface CommandOptions {
  /** Variables besides those of the system; a MOCHI_* of the machine never reaches the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** No file may grow over this: what a full disk is to the process. Can be changed with `limitFiles`. */
  readonly maxFileKiB?: number;
  /** What is typed, to its end; default: nothing, and no end. */
  readonly input?: string;
  /** The rights that new files do not get; default: those of who runs the tests. */
  readonly umask?: string;
  /** The user that runs it: root may read and write whatever it likes. Default: who runs the tests. */
  readonly uid?: number | undefined;
  /** What runs instead of the bundle, such as that of the package, or `src/bin.ts`. */
  readonly bin?: string;
}

export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly exited: Promise<ProcessEnd>;
  readonly isRunning: boolean;
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<ProcessEnd>;
  /** Sends the signal and goes on. */
  signal(signal: 'SIGTERM' | 'SIGINT' | 'SIGUSR2'): void;
  /** Resolves with the first match in what it printed. @throws Error when the process ends without one */
  printed(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpMatchArray>;
  /** From now on no file may grow over so many bytes; null: the disk has room again. */
  limitFiles(bytes: number | null): void;
}

export interface SpawnedServer extends RunningCommand, TestClient {
  readonly dataDir: string;
}

export interface SpawnOptions extends CommandOptions {
  readonly dataDir: string;
  readonly ollamaHost: string;
  readonly flags?: readonly string[];
}

/** Tests count what the engine is asked: it is asked for summaries and titles only where a test is about them. */
export const WITHOUT_BACKGROUND_JOBS = {
  MOCHI_SUMMARIZATION_ENABLED: 'false',
  MOCHI_TITLES_ENABLED: 'false',
};

const root = fileURLToPath(new URL('../../', import.meta.url));
const READY = /is ready at (\S+) \(/;

/** Starts `mochi-server` on a free port and waits until it says that it is ready. */
export async function spawnServer(options: SpawnOptions): Promise<SpawnedServer> {
  const { dataDir, ollamaHost, flags = [] } = options;
  const command = startCommand(['--port', '0', ...flags], {
    ...options,
    env: {
      MOCHI_DATA_DIR: dataDir,
      MOCHI_OLLAMA_HOST: ollamaHost,
      MOCHI_SHUTDOWN_GRACE_SECONDS: '0.2',
      ...WITHOUT_BACKGROUND_JOBS,
      ...options.env,
    },
  });
  const [, url = ''] = await command.printed('stdout', READY);
  return Object.assign(
    command,
    createClient(() => url),
    { dataDir },
  );
}

/** Runs `mochi-server` with these arguments to its end. */
export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<ProcessEnd> {
  return startCommand(args, options).exited;
}

/** Runs `mochi-server` with these arguments. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { bin = 'dist/bin.js', maxFileKiB, umask, env = {}, input, uid } = options;
  const argv = [process.execPath, bin, ...args];
  const limits = [
    ...(maxFileKiB === undefined ? [] : [`ulimit -S -f ${maxFileKiB}`]),
    ...(umask === undefined ? [] : [`umask ${umask}`]),
  ];
  const limited = ['bash', '-c', [...limits, 'exec "$@"'].join(' && '), 'bash', ...argv];
  const [file = '', ...rest] = limits.length === 0 ? argv : limited;
  const child = spawn(file, rest, { cwd: root, env: { ...systemEnv(), ...env }, stdio: 'pipe', uid });
  if (input !== undefined) child.stdin.end(input);
  return follow(child);
}

function systemEnv(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !name.startsWith('MOCHI_'));
  // Nothing is fetched because a test has no Ollama.
  return { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), MOCHI_ENGINE: 'ollama' };
}

/** What a test that failed left running must not outlive the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function follow(child: ChildProcess): RunningCommand {
  running.add(child);
  child.once('exit', () => running.delete(child));
  const output = { stdout: '', stderr: '' };
  const grown = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      for (const look of grown) look();
    });
  }
  const exited = new Promise<ProcessEnd>((resolve, reject) => {
    child.once('error', reject);
    // 'close' comes after the last output, 'exit' may not.
    child.once('close', (status, signal) => resolve({ status, signal, ...output }));
  });
  return {
    // 0: it could not be started; `exited` says why.
    pid: child.pid ?? 0,
    exited,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    signal: (signal) => void child.kill(signal),
    kill(signal) {
      child.kill(signal);
      return exited;
    },
    async printed(stream, pattern) {
      const found = new Promise<RegExpMatchArray>((resolve) => {
        const look = () => {
          const match = pattern.exec(output[stream]);
          if (match !== null) resolve(match);
        };
        grown.add(look);
        look();
      });
      const ended = exited.then(({ status, signal, stdout, stderr }) => {
        throw new Error(`ended (${status ?? signal}) without ${pattern}:\n${stdout}\n${stderr}`);
      });
      return Promise.race([found, ended]);
    },
    limitFiles(bytes) {
      // Only the soft limit changes: the hard one could not be lifted again without privileges.
      const argument = `--fsize=${bytes ?? 'unlimited'}:`;
      const { status, error } = spawnSync('prlimit', ['--pid', String(child.pid), argument]);
      if (status !== 0) throw new Error(`prlimit ended with ${status}`, { cause: error });
    },
  };
}
