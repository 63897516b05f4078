// A worker of a native group: a process that loads one module and runs its tools, one call at a time. Started by
// worker-channel.ts with a WorkerSetup as its argument.
import { registerHooks } from 'node:module';
import type { ToolProgress } from '../tool.ts';
import { cutOutput } from './cut-output.ts';
import { loadModule, type NativeTool } from './load-native.ts';
import type { RunOrder, WorkerOrder, WorkerReply, WorkerSetup } from './protocol.ts';
import { resultText } from './result-text.ts';

// Kept before foreign code runs, which may change what it likes.
const send = process.send?.bind(process);
const writers = [process.stdout, process.stderr].map((stream) => stream.write.bind(stream));
const PROGRESS_PAUSE_MS = 100;
process.on('disconnect', () => process.exit());

// Authors import the types without an install of ours beside their tools.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const ownTools = new URL(`./define-tool${extension}`, import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'mochi-server/tools' ? { url: ownTools, shortCircuit: true } : next(specifier, context),
});

const setup: WorkerSetup = JSON.parse(process.argv[2] ?? '');
const aborts = new Map<number, AbortController>();
let tools: ReadonlyMap<string, NativeTool> = new Map();

try {
  const loaded = await loadModule(setup.entry);
  tools = loaded.tools;
  reply({ type: 'loaded', tools: loaded.described, problems: loaded.problems });
} catch (error) {
  reply({ type: 'refused', message: loadFault(error) });
}

process.on('message', (order: WorkerOrder) => {
  if (order.type === 'abort') aborts.get(order.id)?.abort(new Error('The call was cancelled'));
  else void run(order);
});

async function run(order: RunOrder): Promise<void> {
  const { id } = order;
  const abort = new AbortController();
  aborts.set(id, abort);
  reply({ type: 'began', id });
  const end = await execute(order, abort.signal);
  aborts.delete(id);
  await Promise.all(writers.map((write) => written(write, order.mark)));
  reply({
    type: 'ended',
    id,
    success: end.success,
    ...cutOutput(end.text.toWellFormed(), setup.maxOutputBytes),
  });
}

async function execute(order: RunOrder, signal: AbortSignal): Promise<{ success: boolean; text: string }> {
  try {
    const tool = tools.get(order.tool);
    if (tool === undefined) throw new Error(`There is no tool ${order.tool}`);
    const input = await tool.validate(order.arguments);
    const context = {
      ...order.context,
      signal,
      abortSignal: signal,
      progress: progressOf(order.id),
      messages: [],
    };
    return { success: true, text: await resultText(await tool.execute(input, context)) };
  } catch (error) {
    // Where it was is for the log; what it was is for the model.
    console.error(error);
    return { success: false, text: errorText(error) };
  }
}

function progressOf(id: number): (step: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (step) => {
    if (performance.now() - last < PROGRESS_PAUSE_MS) return;
    last = performance.now();
    const told: Partial<ToolProgress> =
      typeof step === 'object' && step !== null ? step : { message: String(step) };
    const { message = null, progress = null, total = null } = told;
    reply({ type: 'progress', id, message, progress, total });
  };
}

function written(write: (text: string, done: () => void) => unknown, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  write(text, resolve);
  return promise;
}

function reply(message: WorkerReply): void {
  // A channel that has closed ends the process by `disconnect`.
  send?.(message, undefined, {}, () => undefined);
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}

function loadFault(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const isWrongKind = error instanceof SyntaxError && /\.[tj]s$/.test(setup.entry);
  if (!isWrongKind) return text;
  return `${text} (a package.json above it may say "type": "commonjs"; named index.mts, it is a module whatever that says)`;
}
