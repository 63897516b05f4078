// How a worker is started and spoken to: Node through its IPC channel, Python through a pair of pipes with a line a message.

import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { workingFolder } from '../../kit/working-folder.ts';
import type { GroupPermissions } from './group-settings.ts';
import type { WorkerOrder, WorkerSetup } from './protocol.ts';

/** Everything that a worker of a group is started with. */
export interface WorkerLaunch {
  readonly kind: 'python' | 'native';
  readonly setup: WorkerSetup;
  /** The command of Python. */
  readonly python: string;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  /** Null: no bounds. */
  readonly permissions: GroupPermissions | null;
}

export interface WorkerChannel {
  readonly child: ChildProcess;
  readonly output: readonly Readable[];
  tell(order: WorkerOrder): void;
  /** The worker ends by itself when nobody can speak to it any more. */
  hangUp(): void;
  /** Resolves when nothing more can come. */
  readonly closed: Promise<void>;
}

/** A line of a worker is held in memory until it is whole: a description of everything, or a result that JSON escapes. */
const MAX_LOADED_BYTES = 16 * 1024 * 1024;
const MAX_ESCAPE_BYTES = 6;

/** @param receive called with whatever comes, which need not be a reply; @param complain what came cannot be read */
export function openChannel(
  launch: WorkerLaunch,
  receive: (message: unknown) => void,
  complain: (fault: string) => void,
): WorkerChannel {
  return launch.kind === 'native' ? openIpc(launch, receive) : openPipes(launch, receive, complain);
}

function openIpc(launch: WorkerLaunch, receive: (message: unknown) => void): WorkerChannel {
  // The folder holds `.ts` in the repository and `.js` in the package.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const file = fileURLToPath(new URL(`./worker${extension}`, import.meta.url));
  const args = [...nodeFlags(launch, file), file, JSON.stringify(launch.setup)];
  const child = start(process.execPath, args, launch, ['ignore', 'pipe', 'pipe', 'ipc']);
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  child.on('message', receive);
  child.once('disconnect', close);
  child.once('error', () => close());
  return {
    child,
    output: [child.stdout, child.stderr].filter((stream) => stream !== null),
    tell(order) {
      // One that has died meanwhile says so itself.
      if (child.connected) child.send(order, () => undefined);
    },
    hangUp() {
      if (child.connected) child.disconnect();
    },
    closed,
  };
}

function nodeFlags({ memoryMb, permissions, setup, workingFolder }: WorkerLaunch, worker: string): string[] {
  const flags = [`--max-old-space-size=${memoryMb}`, '--disable-warning=ExperimentalWarning'];
  if (permissions === null) return flags;
  const own = fileURLToPath(new URL('../../', import.meta.url));
  const readable = [own, worker, setup.toolsFolder, ...permissions.read, ...permissions.write];
  return [
    ...flags,
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${resolve(workingFolder, path)}`),
    ...permissions.write.map((path) => `--allow-fs-write=${resolve(workingFolder, path)}`),
    ...(permissions.run ? ['--allow-child-process'] : []),
  ];
}

function openPipes(
  launch: WorkerLaunch,
  receive: (message: unknown) => void,
  complain: (fault: string) => void,
): WorkerChannel {
  const script = fileURLToPath(new URL('./python/host.py', import.meta.url));
  const args = ['-X', 'utf8', script, JSON.stringify(launch.setup)];
  const child = start(launch.python, args, launch, ['ignore', 'pipe', 'pipe', 'pipe', 'pipe']);
  const orders = child.stdio[3] as Writable;
  const replies = child.stdio[4] as Readable;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  replies.once('close', close).on('error', () => close());
  child.once('error', () => close());
  orders.on('error', () => undefined);
  const maxLineBytes = MAX_LOADED_BYTES + launch.setup.maxOutputBytes * MAX_ESCAPE_BYTES;
  splitReplies(replies, maxLineBytes, receive, complain);
  return {
    child,
    output: [child.stdout, child.stderr].filter((stream) => stream !== null),
    tell(order) {
      if (orders.writable) orders.write(`${JSON.stringify(order)}\n`);
    },
    hangUp: () => orders.end(),
    closed,
  };
}

function splitReplies(
  replies: Readable,
  maxLineBytes: number,
  receive: (message: unknown) => void,
  complain: (fault: string) => void,
): void {
  let pieces: Buffer[] = [];
  let size = 0;
  replies.on('data', (chunk: Buffer) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...pieces, chunk.subarray(start, end)]).toString('utf8');
      pieces = [];
      size = 0;
      start = end + 1;
      try {
        receive(JSON.parse(line));
      } catch {
        complain('it wrote to the channel of its host');
      }
    }
    pieces.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxLineBytes) {
      pieces = [];
      complain('it sent a message that is too long');
    }
  });
}

/** @throws Error when there is no descriptor left for it */
function start(
  command: string,
  args: readonly string[],
  launch: WorkerLaunch,
  stdio: readonly ('ignore' | 'pipe' | 'ipc')[],
): ChildProcess {
  const child = spawn(command, args, {
    cwd: workingFolder(launch.workingFolder),
    env: launch.environment,
    // A process group of its own, so that what a tool starts ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: [...stdio],
  });
  // Somebody listens from the beginning: an error that nobody hears ends the server.
  child.on('error', () => undefined);
  if ((child.stdio as unknown) === undefined) throw new Error('the server has too many files open');
  return child;
}
