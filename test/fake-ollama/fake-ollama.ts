// A scriptable Ollama on a real socket, for tests and benchmarks.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireModel } from './chat-checks.ts';
import { answer } from './endpoints.ts';
import { openExchange } from './exchange.ts';
import type { FakeModel } from './fake-model.ts';
import { createState, type FakeOllamaOptions, type ScriptSource } from './fake-state.ts';
import type { Fault } from './fault.ts';
import { listen } from './listener.ts';
import { createRequestLog, type RecordedRequest } from './request-log.ts';

/** A running fake. */
export type FakeOllama = {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** All requests so far, in order of arrival; may be emptied. */
  readonly requests: RecordedRequest[];
  /** The installed models; push to it, or replace it. */
  models: FakeModel[];
  loadDelayMs: number;
  /** The largest window for which there is memory. */
  largestWindow: number;
  /** Reloads of a loaded model by a change of num_ctx (or another runner option), by name with tag. */
  readonly reloads: Readonly<Record<string, number>>;
  /** Answers that made the context slide, by name with tag. */
  readonly shifts: Readonly<Record<string, number>>;
  readonly openSockets: number;
  /** Chats that it had under way at the same time, at most so far, those that wait for a slot among them. */
  mostAtOnce: number;
  /** Scripts that no request has used yet. */
  readonly pendingReplies: number;
  requestsTo(path: string): RecordedRequest[];
  setModels(models: readonly FakeModel[]): void;
  /** One script per coming /api/chat that passes Ollama's checks. */
  reply(...scripts: readonly ScriptSource[]): void;
  /** For every /api/chat that finds the queue empty; null: the program of the model, or the built-in answer. */
  setDefault(source: ScriptSource | null): void;
  /** The runner of a loaded model loses a slot for ever, to a request whose client has gone. */
  leakSlot(name: string): Promise<void>;
  /** The runner of a loaded model dies; the next request loads it anew. */
  killRunner(name: string): void;
  /** Pulls stop half-way from now on. @returns what lets them go on */
  holdPulls(): () => void;
  /** Breaks an endpoint until it is set to null; '*' is all of them. */
  fault(path: string, fault: Fault | null): void;
  /** The first request to the path, past ones included; rejects after 5 s. */
  waitForRequest(
    path: string,
    matches?: (request: RecordedRequest) => boolean,
    timeoutMs?: number,
  ): Promise<RecordedRequest>;
  /** The first request that its client gave up; rejects after 5 s. */
  waitForAbort(matches?: (request: RecordedRequest) => boolean, timeoutMs?: number): Promise<RecordedRequest>;
  /** Closes all connections; later connects are refused. */
  stop(): Promise<void>;
  /** Listens on the same port again; no model is loaded then. */
  restart(): Promise<void>;
  /** Stops for good: no socket, timer or waiting promise stays. */
  close(): Promise<void>;
};

/** Starts a fake on 127.0.0.1 and a free port. */
export async function startFakeOllama(options: FakeOllamaOptions = {}): Promise<FakeOllama> {
  const host = options.host ?? '127.0.0.1';
  const state = createState(options);
  const log = createRequestLog();
  const running = new Set<Promise<void>>();
  const listener = await listen(host, options.port ?? 0, (incoming, response) => {
    const task = serve(incoming, response).finally(() => running.delete(task));
    running.add(task);
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await answer(state, await openExchange(incoming, response, log, () => listener.isStopped));
    } catch (error) {
      const clientHasGone = response.destroyed || !incoming.complete || incoming.socket.readableEnded;
      if (clientHasGone) return;
      // A scripted function threw, or the fake has a bug; either must be seen where the test fails.
      console.error('fake ollama:', error);
      if (!response.headersSent) response.statusCode = 500;
      response.end(`fake ollama: ${String(error)}`);
    }
  }

  async function stop(): Promise<void> {
    await listener.stop();
    await Promise.all(running);
    state.loaded.unloadAll();
  }

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    host,
    port: listener.port,
    requests: log.requests,
    reloads: state.loaded.reloads,
    shifts: state.shifts,
    get models() {
      return state.models;
    },
    set models(models) {
      state.models = models;
    },
    get loadDelayMs() {
      return state.loadDelayMs;
    },
    set loadDelayMs(ms) {
      state.loadDelayMs = ms;
    },
    get largestWindow() {
      return state.loaded.memory.largestWindow;
    },
    set largestWindow(tokens) {
      state.loaded.memory.largestWindow = tokens;
    },
    get mostAtOnce() {
      return state.loaded.asking.most;
    },
    set mostAtOnce(count) {
      state.loaded.asking.most = count;
    },
    get openSockets() {
      return listener.openSockets;
    },
    get pendingReplies() {
      return state.replies.length;
    },
    requestsTo: (path) => log.requests.filter((request) => request.path === path),
    setModels: (models) => {
      state.models = [...models];
    },
    reply: (...scripts) => {
      state.replies.push(...scripts);
    },
    setDefault: (source) => {
      state.defaultReply = source;
    },
    leakSlot: (name) => state.loaded.leakSlot(requireModel(state.models, name)),
    killRunner: (name) => state.loaded.killRunner(requireModel(state.models, name)),
    holdPulls: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      state.pullGate = promise;
      return () => {
        state.pullGate = null;
        resolve();
      };
    },
    fault: (path, fault) => {
      if (fault) state.faults.set(path, fault);
      else state.faults.delete(path);
    },
    waitForRequest: (path, matches = () => true, timeoutMs = 10_000) =>
      log.waitFor(`request to ${path}`, (request) => request.path === path && matches(request), timeoutMs),
    waitForAbort: (matches = () => true, timeoutMs = 10_000) =>
      log.waitFor('aborted request', (request) => request.aborted && matches(request), timeoutMs),
    stop,
    async restart() {
      await stop();
      await listener.start();
    },
    async close() {
      log.cancelWaiting();
      await stop();
    },
  };
}
