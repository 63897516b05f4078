// One call in a worker, from the order to its outcome: the time limit, the abort, and what is known when the process dies.
import { randomHex } from '../../kit/ids.ts';
import type { ToolOutcome, ToolRunContext } from '../tool.ts';
import type { WorkerReply } from './protocol.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkerCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  /** It changes nothing: what is stopped has had no effect. */
  readonly readOnly: boolean;
}

/** How long a tool that is told to stop may take, before its process is killed. Milliseconds. */
const STOP_LIMIT_MS = 1000;
/** How long a worker that rests may take to hear of a call. Milliseconds. */
const BEGIN_LIMIT_MS = 10_000;

type Ended = Extract<WorkerReply, { type: 'ended' }>;

let lastId = 0;

/** Never throws. The worker may be dead afterwards. */
export async function runCall(
  worker: WorkerProcess,
  call: WorkerCall,
  context: ToolRunContext,
): Promise<ToolOutcome> {
  const { signal, onProgress, ...told } = context;
  if (signal.aborted) return failedBefore('The call was cancelled before the tool began');
  lastId += 1;
  const id = lastId;
  const { promise: answered, resolve: answer } = Promise.withResolvers<Ended>();
  let hasBegun = false;
  /** Why it was told to stop, once it was. */
  let stopped: string | null = null;
  let timer = setTimeout(() => void worker.kill('it did not take the call'), BEGIN_LIMIT_MS);

  const stop = (why: string) => {
    stopped ??= why;
    worker.tell({ type: 'abort', id });
    clearTimeout(timer);
    timer = setTimeout(() => void worker.kill(), STOP_LIMIT_MS);
  };
  const cancel = () => stop('The call was cancelled while the tool ran');

  worker.receive = (reply) => {
    if (!('id' in reply) || reply.id !== id) return;
    if (reply.type === 'ended') answer(reply);
    else if (reply.type === 'progress') {
      onProgress({ message: reply.message, progress: reply.progress, total: reply.total });
    } else if (reply.type === 'began' && !hasBegun) {
      hasBegun = true;
      if (stopped !== null) return;
      clearTimeout(timer);
      const limit = () => stop(`The tool did not end within ${call.timeoutMs / 1000} s and was stopped`);
      timer = setTimeout(limit, call.timeoutMs);
    }
  };
  const mark = `\0${randomHex(32)}\0`;
  worker.output.begin(mark);
  worker.tell({ type: 'run', id, tool: call.tool, arguments: call.args, context: told, mark });
  signal.addEventListener('abort', cancel, { once: true });

  const lost = worker.ended.then((how) => ({ type: 'lost' as const, how }));
  const end = await Promise.race([answered, lost]);
  clearTimeout(timer);
  signal.removeEventListener('abort', cancel);
  worker.receive = null;
  await worker.output.settled();
  const log = worker.output.take();
  if (end.type === 'ended' && (end.success || stopped === null)) {
    const state = end.success ? 'succeeded' : 'failed';
    return { state, text: end.text, truncated: end.truncated, images: [], log };
  }
  const how = end.type === 'lost' ? end.how : 'it was told to stop';
  if (!hasBegun) return { ...failedBefore(beforeBeginning(stopped, how)), log };
  const why = stopped ?? `The process of the tool ended while it ran (${how})`;
  if (call.readOnly) return { ...failedBefore(why), log };
  return { state: 'unknown', text: `${why}; it may have taken effect`, truncated: false, images: [], log };
}

function beforeBeginning(stopped: string | null, how: string): string {
  if (stopped !== null) return 'The call was cancelled before the tool began';
  return `The process of the tool ended before the tool began (${how}); it can be called again`;
}

/** What has had no effect. */
export function failedBefore(text: string): ToolOutcome {
  return { state: 'failed', text, truncated: false, images: [], log: null };
}
