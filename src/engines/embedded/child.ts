// The engine process: native code lives and dies here, apart from the server. Started by engine-process.ts with the
// path of the binding as its argument; answers chats one at a time; ends with the channel to its parent.
import { loadBinding } from './binding.ts';
import { generate, OverflowError } from './generate.ts';
import { createContextHolder } from './loaded-context.ts';
import type { ProcessChat, ProcessCommand, ProcessFailure, ProcessReply } from './protocol.ts';

// A signal for the whole group (Ctrl-C) is the server's to answer: it lets turns finish first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());

const { binding, jinja } = await loadBinding(process.argv[2] ?? '');
const holder = createContextHolder(binding, jinja);
const aborts = new Map<number, AbortController>();

process.on('message', (command: ProcessCommand) => {
  if (command.type === 'abort') aborts.get(command.id)?.abort();
  else void answer(command.id, command.chat);
});

async function answer(id: number, chat: ProcessChat): Promise<void> {
  const abort = new AbortController();
  aborts.set(id, abort);
  let failure: ProcessFailure | null = null;
  try {
    const emit = createSender(id);
    await generate({ binding, holder, chat, signal: abort.signal, emit });
  } catch (error) {
    failure = toFailure(error);
  }
  aborts.delete(id);
  send({ type: 'ended', id, failure });
}

/** What comes while the channel is busy goes as one message. */
function createSender(id: number): (chunks: readonly ProcessChunk[]) => void {
  let waiting: ProcessChunk[] = [];
  let isSending = false;
  const flush = () => {
    isSending = false;
    if (waiting.length === 0) return;
    isSending = true;
    const chunks = waiting;
    waiting = [];
    send({ type: 'chunks', id, chunks }, flush);
  };
  return (chunks) => {
    waiting.push(...chunks);
    if (!isSending || chunks.at(-1)?.type === 'done') flush();
  };
}

type ProcessChunk = Extract<ProcessReply, { type: 'chunks' }>['chunks'][number];

function send(reply: ProcessReply, sent: () => void = () => undefined): void {
  // A channel that has closed ends the process by `disconnect`.
  process.send?.(reply, undefined, {}, sent);
}

function toFailure(error: unknown): ProcessFailure {
  if (error instanceof OverflowError) {
    const details = { required_tokens: error.requiredTokens };
    return { kind: 'context_overflow', message: error.message, details };
  }
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && (error.name === 'InsufficientMemoryError' || /memory|VRAM/i.test(text))) {
    return { kind: 'insufficient_memory', message: `The memory does not suffice: ${text}` };
  }
  return { kind: 'engine_failed', message: `The embedded engine could not answer: ${text}` };
}
