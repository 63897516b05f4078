// Which models are in memory and with which window: what a change of num_ctx costs, and what /api/ps tells.
import { setTimeout as delay } from 'node:timers/promises';
import type { RequestBody } from './chat-request.ts';
import { keepAliveMs } from './duration.ts';
import { type FakeModel, hasCapability, listEntry, trainedLength, weightsOf } from './fake-model.ts';
import { goTime } from './go-json.ts';
import { displayName } from './model-name.ts';
import { Refusal } from './refusal.ts';
import { createSlots, type Slots } from './slots.ts';

type LoadedModel = {
  readonly model: FakeModel;
  readonly settings: string;
  readonly window: number;
  readonly readyAt: number;
  /** Its own: a runner that is loaded anew has all of them free. */
  readonly slots: Slots;
  /** Requests that it answers, or that wait for it. */
  uses: number;
  /** It is unloaded once nobody uses it. */
  isExpiring: boolean;
  isDead: boolean;
  keepAliveMs: number;
  expiresAt: number;
};

/** Models in memory, and the number of reloads of each. */
export type LoadedModels = ReturnType<typeof createLoadedModels>;

/** Options whose change reloads the model (server/sched.go `needsReload`). */
const runnerOptions = [
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'use_mmap',
  'num_thread',
  'draft_num_predict',
];

/**
 * Keyed by the weights, as Ollama's scheduler is: all names of the same ones share a runner, which keeps the name
 * that loaded it. `defaultWindow` stands for the default by VRAM, `parallel` for OLLAMA_NUM_PARALLEL.
 */
export function createLoadedModels(defaultWindow: number, parallel: number) {
  const loaded = new Map<string, LoadedModel>();
  const reloads: Record<string, number> = {};
  /** A load with a larger window fails. */
  const memory = { largestWindow: Number.POSITIVE_INFINITY };
  /** Requests of all runners, now and at most so far. */
  const asking = { now: 0, most: 0 };

  /** Loads or reloads where needed; tells the window in use and how long the request waited. The first load of a model is no reload, and neither is one after an unload. */
  async function load(model: FakeModel, body: RequestBody, loadDelayMs: number, signal: AbortSignal) {
    const key = weightsOf(model);
    checkMemory(key, model, body);
    const settings = runnerSettings(model, body);
    const found = inMemory(key);
    const current = found?.isDead ? undefined : found;
    const keepAlive = body.keep_alive == null ? current?.keepAliveMs : keepAliveMs(body.keep_alive);
    const entry: LoadedModel = {
      model,
      settings,
      window: windowInUse(model, body, defaultWindow),
      readyAt: Date.now() + loadDelayMs,
      slots: createSlots(parallel),
      uses: 0,
      isExpiring: false,
      isDead: false,
      keepAliveMs: keepAlive ?? 300_000,
      expiresAt: 0,
    };
    if (current && current.settings !== settings) {
      const name = displayName(model.name);
      reloads[name] = (reloads[name] ?? 0) + 1;
    }
    const inUse = current?.settings === settings ? current : entry;
    inUse.isExpiring = false;
    inUse.keepAliveMs = entry.keepAliveMs;
    inUse.expiresAt = Date.now() + entry.keepAliveMs;
    loaded.set(key, inUse);

    const waitMs = inUse.readyAt - Date.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    return { window: inUse.window, loadMs: Math.max(0, waitMs), runner: inUse };
  }

  /** A request that uses a runner, until the function that this returns is called. */
  function use(runner: LoadedModel): () => void {
    runner.uses += 1;
    asking.now += 1;
    asking.most = Math.max(asking.most, asking.now);
    return () => {
      asking.now -= 1;
      runner.uses -= 1;
      if (runner.isExpiring) remove(runner);
    };
  }

  /** The runner of a model loses a slot to a request whose client has gone (ollama/ollama#17131). */
  async function leakSlot(model: FakeModel): Promise<void> {
    const runner = inMemory(weightsOf(model));
    if (!runner) throw new Error(`the fake holds no ${model.name}`);
    await runner.slots.enter(new AbortController().signal);
  }

  /** The process of a runner is gone; Ollama notices at the next request, and /api/ps tells it as before. */
  function killRunner(model: FakeModel): void {
    const runner = inMemory(weightsOf(model));
    if (runner) runner.isDead = true;
  }

  /** What is loaded goes before the new one is tried (server/sched.go): after a failure, neither is there. */
  function checkMemory(key: string, model: FakeModel, body: RequestBody): void {
    if (inMemory(key)?.settings === runnerSettings(model, body)) return;
    if (windowInUse(model, body, defaultWindow) <= memory.largestWindow) return;
    loaded.delete(key);
    const text =
      'model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details';
    throw new Refusal(500, text);
  }

  function inMemory(key: string): LoadedModel | undefined {
    const entry = loaded.get(key);
    return entry && entry.expiresAt > Date.now() ? entry : undefined;
  }

  /** Requests under way are answered first. */
  function unload(model: FakeModel): void {
    const runner = loaded.get(weightsOf(model));
    if (!runner) return;
    runner.isExpiring = true;
    remove(runner);
  }

  function remove(runner: LoadedModel): void {
    const key = weightsOf(runner.model);
    if (runner.uses === 0 && loaded.get(key) === runner) loaded.delete(key);
  }

  /** The body of /api/ps: `context_length` is the window in use, 0 while loading. */
  function psBody(clockOffsetMs: number): unknown {
    const now = Date.now();
    const models = [...loaded.values()].filter((entry) => entry.expiresAt > now);
    return { models: models.map((entry) => psEntry(entry, now, clockOffsetMs)) };
  }

  return {
    load,
    use,
    unload,
    leakSlot,
    killRunner,
    unloadAll: () => loaded.clear(),
    psBody,
    reloads,
    memory,
    asking,
  };
}

function psEntry(entry: LoadedModel, now: number, clockOffsetMs: number): unknown {
  const common = listEntry(entry.model);
  // An endless keep_alive is a date in the 2300s.
  const expiresAt = Math.min(entry.expiresAt + clockOffsetMs, Date.UTC(2318, 10, 24));
  return {
    ...common,
    expires_at: goTime(new Date(expiresAt)),
    size_vram: common['size'],
    context_length: entry.readyAt > now ? 0 : entry.window,
  };
}

function runnerSettings(model: FakeModel, body: RequestBody): string {
  const options: RequestBody['options'] = { num_ctx: model.numCtx, ...body.options };
  return JSON.stringify([...runnerOptions.map((name) => options[name] ?? null), body.shift ?? true]);
}

/** The window of a request: silently at least 4 (vision: 2048) and at most the trained length. */
function windowInUse(model: FakeModel, body: RequestBody, defaultWindow: number): number {
  const asked = body.options?.['num_ctx'];
  const wanted = typeof asked === 'number' ? Math.trunc(asked) : (model.numCtx ?? defaultWindow);
  const least = hasCapability(model, 'vision') ? 2048 : 4;
  return Math.min(Math.max(wanted, least), trainedLength(model));
}
