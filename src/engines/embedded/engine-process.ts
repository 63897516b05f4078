// The engine process as the server sees it: started at the first chat, ended when idle, replaced when it dies.
import type { EngineChunk } from '../../contract/engine.ts';
import { MochiError, PART_IS_KEPT } from '../../contract/errors.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { type PatienceOptions, startPatience } from './patience.ts';
import type { ProcessChat } from './protocol.ts';
import { type Died, type RunningProcess, startProcess } from './running-process.ts';
import { createWaitingLine } from './waiting-line.ts';

export interface EngineProcessOptions extends PatienceOptions {
  /** Milliseconds without a chat after which the process ends and its memory is free. */
  readonly idleMs: number;
  /** A process died in the middle of a chat. */
  readonly onCrash: (details: Died) => void;
}

export interface EngineProcess {
  /**
   * One chat after the other, in the order of arrival. Ends after `done`. Aborting ends it at once; the
   * process lets go within a token. @throws MochiError, the signal's reason
   */
  chat(
    bindingEntry: string,
    chat: ProcessChat,
    signal: AbortSignal,
  ): AsyncGenerator<readonly EngineChunk[], void>;
  /** The process id while it runs, for what measures memory; null otherwise. */
  readonly pid: number | null;
  /** How long it still runs when nobody chats, in milliseconds. */
  readonly expiresInMs: number;
  /** Ends the process, if any: a chat under way fails. */
  stop(): Promise<void>;
}

/** How long an aborted chat may take to let go, before its process is replaced. Milliseconds. */
const LET_GO_MS = 10_000;

type Reply = Parameters<NonNullable<RunningProcess['receive']>>[0];

export function createEngineProcess(options: EngineProcessOptions): EngineProcess {
  const line = createWaitingLine();
  let running: RunningProcess | null = null;
  let idle: NodeJS.Timeout | undefined;
  /** When a client last used it; of one that was started in the background, when it began. Null: a client uses it. */
  let restsSince: number | null = null;
  let lastId = 0;

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const stopped = running;
    running = null;
    // Nothing of it needs saving, and native code may not listen.
    await stopped?.kill();
  }

  function start(bindingEntry: string): RunningProcess {
    const started = startProcess(bindingEntry, (death) => {
      if (running === started) running = null;
      if (death !== null) options.onCrash(death);
    });
    return started;
  }

  const remainingMs = () => options.idleMs - (restsSince === null ? 0 : performance.now() - restsSince);

  function rest(): void {
    clearTimeout(idle);
    idle = setTimeout(() => void stop(), Math.max(remainingMs(), 0));
    idle.unref();
  }

  async function* chat(
    bindingEntry: string,
    request: ProcessChat,
    signal: AbortSignal,
  ): AsyncGenerator<readonly EngineChunk[], void> {
    const leave = await line.enter(signal);
    clearTimeout(idle);
    if (running !== null && running.bindingEntry !== bindingEntry) await stop();
    // What nobody waits for does not count as use: an idle engine is unloaded when it would have been.
    if (request.isBackground !== true) restsSince = null;
    else if (running === null) restsSince = performance.now();
    running ??= start(bindingEntry);
    const mine = running;
    const mailbox = createMailbox<Reply>();
    lastId += 1;
    const id = lastId;
    mine.receive = mailbox.put;
    mine.tell({ type: 'chat', id, chat: request });
    const patience = startPatience(options, signal);
    let hasEnded = false;
    try {
      for (;;) {
        const replies = await mailbox.take(patience.signal);
        patience.heard();
        const end = replies.find((reply) => reply.type !== 'chunks');
        hasEnded = end !== undefined;
        const chunks = replies.flatMap((reply) => (reply.type === 'chunks' ? reply.chunks : []));
        if (chunks.length > 0) yield chunks;
        if (end !== undefined) return endChat(end);
      }
    } catch (error) {
      if (patience.expired !== null && !signal.aborted) throw patience.expired;
      throw error;
    } finally {
      patience.stop();
      // In the background: who cancels does not wait until the native code lets go.
      // Native code that was silent for too long is not asked again.
      const letsGo = () => (patience.expired === null ? letGo(mine, id, mailbox) : mine.kill());
      void (hasEnded ? Promise.resolve() : letsGo()).finally(() => {
        mine.receive = null;
        restsSince ??= performance.now();
        rest();
        leave();
      });
    }
  }

  return {
    chat,
    get pid() {
      return running?.pid ?? null;
    },
    get expiresInMs() {
      return remainingMs();
    },
    stop,
  };
}

/** Returns for a chat that ended well. */
function endChat(end: Exclude<Reply, { type: 'chunks' }>): void {
  if (end.type === 'died') {
    throw new MochiError(
      'engine_failed',
      `The process of the embedded engine ended in the middle of the answer (${end.how}); memory may have run out${PART_IS_KEPT}. The next message starts a new process.`,
      { how: end.how },
    );
  }
  if (end.failure !== null) throw new MochiError(end.failure.kind, end.failure.message, end.failure.details);
}

/** Resolves when an aborted chat has ended in the process, or the process with it. */
async function letGo(mine: RunningProcess, id: number, mailbox: Mailbox<Reply>): Promise<void> {
  mine.tell({ type: 'abort', id });
  const limit = AbortSignal.timeout(LET_GO_MS);
  try {
    while (!(await mailbox.take(limit)).some((reply) => reply.type !== 'chunks'));
  } catch {
    await mine.kill();
  }
}
