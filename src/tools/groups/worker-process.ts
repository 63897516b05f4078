// One worker: a process of a group, from its start to its end. It loads the module of the group and runs one call at a time.
import type { ChildProcess } from 'node:child_process';
import type { Keeper } from './keeper.ts';
import { OutputTail } from './output-tail.ts';
import { type LoadedTool, readReply, type WorkerOrder, type WorkerReply } from './protocol.ts';
import { watchMemory } from './resident-memory.ts';
import { openChannel, type WorkerLaunch } from './worker-channel.ts';

export interface LoadedGroup {
  readonly tools: readonly LoadedTool[];
  readonly problems: readonly string[];
}

/** A group that cannot be used; its message is for people. */
export class GroupFault extends Error {}

export interface WorkerProcess {
  /** Rejects with a GroupFault; then the process has ended, or is about to. */
  readonly loaded: Promise<LoadedGroup>;
  /** Resolves with how, when the process and all that it has started are gone: "exit code 3". */
  readonly ended: Promise<string>;
  readonly output: OutputTail;
  /** Who hears what it says during a call; null between two. */
  receive: ((reply: WorkerReply) => void) | null;
  tell(order: WorkerOrder): void;
  /** Asks it to end, and ends it a second later. */
  end(): Promise<void>;
  /** @param why what `ended` tells, where it is not the exit that counts */
  kill(why?: string): Promise<void>;
}

const LOAD_LIMIT_MS = 10_000;
const END_LIMIT_MS = 1000;
/** What is on its way when a process ends arrives at once, unless somebody else holds the pipe. Milliseconds. */
const DRAIN_LIMIT_MS = 300;
/** Of its last words, what fits into a problem. */
const LAST_WORDS = 500;

export function startWorker(launch: WorkerLaunch, keeper: Keeper): WorkerProcess {
  const loaded = Promise.withResolvers<LoadedGroup>();
  const ended = Promise.withResolvers<string>();
  // Who waits for neither must not bring the server down.
  loaded.promise.catch(() => undefined);
  let reason: string | null = null;
  let hasEnded = false;
  const tooLarge = `it used more than ${launch.memoryMb} MB of memory`;

  const channel = openChannel(launch, hear, (fault) => void worker.kill(fault));
  const { child } = channel;
  const output = new OutputTail(channel.output);
  const group = child.pid;
  if (group !== undefined) keeper.watch(group);

  const loadTimer = setTimeout(() => {
    loaded.reject(new GroupFault(`it did not load within ${LOAD_LIMIT_MS / 1000} s`));
    void worker.kill();
  }, LOAD_LIMIT_MS);
  const stopWatching = watchMemory(group, launch.memoryMb * 1024 * 1024, () => {
    void worker.kill(tooLarge);
  });

  function hear(message: unknown): void {
    const reply = readReply(message);
    if (reply === null) return;
    if (reply.type === 'loaded') {
      clearTimeout(loadTimer);
      loaded.resolve(reply);
    } else if (reply.type === 'refused') {
      loaded.reject(new GroupFault(reply.message));
      void worker.kill();
    } else worker.receive?.(reply);
  }

  async function finish(how: string): Promise<void> {
    if (hasEnded) return;
    hasEnded = true;
    clearTimeout(loadTimer);
    stopWatching();
    killGroup(child);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_LIMIT_MS);
    await Promise.race([channel.closed, late]);
    await output.settled();
    clearTimeout(timer);
    if (group !== undefined) keeper.release(group);
    for (const stream of channel.output) stream.destroy();
    const isHeapFull = output.take()?.includes('JavaScript heap out of memory') ?? false;
    if (isHeapFull) reason ??= tooLarge;
    const told = reason ?? how;
    loaded.reject(new GroupFault(`it ended while it was loaded (${told})${lastWords(output)}`));
    ended.resolve(told);
  }

  child.once('error', (error) => {
    const isMissing = 'code' in error && error.code === 'ENOENT' && launch.kind === 'python';
    const words = isMissing ? `Python was not found: ${launch.python}` : error.message;
    if (group !== undefined) return;
    loaded.reject(new GroupFault(words));
    void finish(words);
  });
  child.once(
    'exit',
    (code, signal) => void finish(signal === null ? `exit code ${code}` : `signal ${signal}`),
  );

  const worker: WorkerProcess = {
    loaded: loaded.promise,
    ended: ended.promise,
    output,
    receive: null,
    tell: channel.tell,
    async end() {
      channel.hangUp();
      const timer = setTimeout(killGroup, END_LIMIT_MS, child);
      await ended.promise;
      clearTimeout(timer);
    },
    async kill(why) {
      reason ??= why ?? null;
      // Its number may be that of somebody else by now.
      if (!hasEnded) killGroup(child);
      await ended.promise;
    },
  };
  return worker;
}

/** Also after its end: what it has left behind is of its group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

function lastWords(output: OutputTail): string {
  const said = output.take()?.trim() ?? '';
  return said === '' ? '' : `: ${said.slice(-LAST_WORDS)}`;
}
