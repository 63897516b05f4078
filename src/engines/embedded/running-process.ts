// One process of the engine, from its start to its end.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProcessCommand, ProcessReply } from './protocol.ts';

/** The process ended although nobody had asked it to. */
export interface Died {
  readonly type: 'died';
  /** Exit status or signal. */
  readonly how: string;
  /** Its last words. */
  readonly stderr: string;
}

export interface RunningProcess {
  readonly bindingEntry: string;
  readonly pid: number | undefined;
  /** Who is told what it says, and its death; null between two chats. */
  receive: ((reply: ProcessReply | Died) => void) | null;
  tell(command: ProcessCommand): void;
  /** Resolves when it is gone. */
  kill(): Promise<void>;
}

/** How many characters of its last words are kept. */
const LAST_WORDS = 2000;

/** @param onEnd called once; null: it was told to end, or had nothing to do */
export function startProcess(bindingEntry: string, onEnd: (death: Died | null) => void): RunningProcess {
  // The folder holds `.ts` in the repository and `.js` in the package.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const file = fileURLToPath(new URL(`./child${extension}`, import.meta.url));
  const child = fork(file, [bindingEntry], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<void>();
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-LAST_WORDS);
  });
  const process: RunningProcess = {
    bindingEntry,
    pid: child.pid,
    receive: null,
    tell(command) {
      // One that has died meanwhile says so itself.
      if (child.connected) child.send(command, () => undefined);
    },
    kill() {
      process.receive = null;
      child.kill('SIGKILL');
      return ended;
    },
  };
  const end = (how: string) => {
    const death: Died = { type: 'died', how, stderr };
    onEnd(process.receive === null ? null : death);
    process.receive?.(death);
    resolveEnded();
  };
  child.on('message', (reply: ProcessReply) => process.receive?.(reply));
  child.once('error', (error) => end(error.message));
  child.once('close', (status, signal) => end(signal === null ? `status ${status}` : `signal ${signal}`));
  return process;
}
