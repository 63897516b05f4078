// The keeper: a small process that outlives us, whatever ends us, and takes with it every process group that we started.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Has a lifetime: its process starts with the first group, and ends with `close`. */
export interface Keeper {
  /** From now on the group goes when we go. @param group id of the process that leads it */
  watch(group: number): void;
  /** The group has ended. */
  release(group: number): void;
  /** Ends what is still watched, and the keeper. */
  close(): Promise<void>;
}

/**
 * A shell needs a fortieth of the memory of a Node. It reads until the channel closes, which the kernel does for us. What is
 * watched already it is given at its start: we may be gone before a word could be written.
 */
const SCRIPT = `trap '' HUP INT TERM
groups=" $* "
while read -r order group; do
  case $order in
    watch) groups="$groups$group " ;;
    release) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -9 "-$group" 2>/dev/null; done
exit 0`;

/** A keeper that ends sooner than this cannot be had on this machine. Milliseconds. */
const SHORTEST_LIFE_MS = 1000;

interface Running {
  readonly child: ChildProcess;
  readonly startedAt: number;
  readonly ended: Promise<void>;
}

/** On Windows, which has no process groups, workers end by themselves when their channel closes. */
export function startKeeper(): Keeper {
  const groups = new Set<number>();
  let running: Running | null = null;
  let isClosed = process.platform === 'win32';

  function start(): Running {
    // A session of its own: what ends ours, Ctrl-C or a closed terminal, does not reach it.
    const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'sh', ...[...groups].map(String)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: {},
    });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const started = { child, startedAt: performance.now(), ended };
    const end = () => {
      resolve();
      if (running === started) running = null;
      const livedShort = performance.now() - started.startedAt < SHORTEST_LIFE_MS;
      // Somebody killed it: another takes over.
      if (!isClosed && !livedShort && groups.size > 0) running = start();
    };
    child.once('exit', end);
    child.once('error', end);
    // Without a free descriptor it has no channel, and says so by its error.
    child.stdin?.on('error', () => undefined);
    // Neither holds up the end of the server.
    child.unref();
    (child.stdin as Socket | undefined)?.unref();
    return started;
  }

  return {
    watch(group) {
      groups.add(group);
      if (isClosed) return;
      if (running === null) running = start();
      else tell(running, `watch ${group}`);
    },
    release(group) {
      if (groups.delete(group) && running !== null) tell(running, `release ${group}`);
    },
    async close() {
      isClosed = true;
      const last = running;
      last?.child.ref();
      last?.child.stdin?.end();
      await last?.ended;
    },
  };
}

function tell({ child }: Running, line: string): void {
  child.stdin?.write(`${line}\n`);
}
