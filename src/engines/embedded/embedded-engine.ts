// llama.cpp behind the Engine interface, in a process of its own: for a machine that has nothing but Node.
import { join } from 'node:path';
import type { Engine, EngineChatRequest, EngineChunk } from '../../contract/engine.ts';
import type { MochiError } from '../../contract/errors.ts';
import { inventoryOf, missingModel } from '../inventory.ts';
import { createEngineProcess } from './engine-process.ts';
import { findInstalled } from './find-installed.ts';
import { cacheBytes, checkMemory } from './memory.ts';
import { openModelsFolder, type StoredModel } from './models-folder.ts';
import { pullModel } from './pull-model.ts';
import type { Died } from './running-process.ts';
import { createSetup } from './setup.ts';
import { createWaitingLine } from './waiting-line.ts';

export interface EmbeddedEngineOptions {
  /** Absolute. Models lie in `models`, the native binding in `engine`. */
  readonly dataDir: string;
  /** Base URL of the model hub. */
  readonly modelHub: string;
  readonly downloadsEnabled: boolean;
  /** The operator's choice of a model; null: what suits the machine. */
  readonly defaultModel: string | null;
  /** Bytes of memory that are free; the machine's unless stated. */
  readonly freeMemory?: () => number;
  /** Seconds without a chat after which the process ends. */
  readonly unloadAfterSeconds: number;
  readonly firstTokenTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly report: (text: string) => void;
  readonly onCrash: (details: Died) => void;
}

export interface EmbeddedEngine extends Engine {
  /** What runs the model now; null while none is in memory. */
  readonly processId: number | null;
  prepare(): Promise<void>;
}

/** The window of a chat that asks for none, where the model was trained for as much. Tokens. */
const DEFAULT_WINDOW = 8192;

export function createEmbeddedEngine(options: EmbeddedEngineOptions): EmbeddedEngine {
  const folder = openModelsFolder(join(options.dataDir, 'models'));
  const puller = { folder, hub: options.modelHub, line: createWaitingLine() };
  const setup = createSetup({ freeMemory: () => process.availableMemory(), ...options, puller });
  const engineProcess = createEngineProcess({ ...options, idleMs: options.unloadAfterSeconds * 1000 });
  const models = findInstalled(folder, setup);
  let loaded: { readonly stored: StoredModel; readonly window: number } | null = null;

  async function* chat(
    { model: name, window, ...request }: EngineChatRequest,
    signal: AbortSignal,
  ): AsyncGenerator<readonly EngineChunk[], void> {
    const stored = await folder.find(name);
    signal.throwIfAborted();
    const binding = await setup.binding();
    if (stored === null) throw await notInstalled(name);
    if (binding === null) throw setup.notReady();
    const wanted = window ?? Math.min(DEFAULT_WINDOW, stored.model.trainedLength ?? DEFAULT_WINDOW);
    checkMemory(stored, wanted, heldBytes());
    loaded = { stored, window: wanted };
    yield* engineProcess.chat(binding.entry, { ...request, modelPath: stored.path, window: wanted }, signal);
  }

  /** What the process has taken already, and gives back for the next model or window. */
  function heldBytes(): number {
    if (loaded === null || engineProcess.pid === null) return 0;
    return loaded.stored.bytes + cacheBytes(loaded.stored.metadata, loaded.window);
  }

  async function notInstalled(name: string): Promise<MochiError> {
    // A model that is on its way is said to be.
    await models.findModel(name);
    return missingModel(name, await inventoryOf(models.listModels));
  }

  return {
    name: 'embedded',
    address: 'in a process of its own',
    chat,
    ...models,
    recallModel: models.findModel,
    inventory: () => inventoryOf(models.listModels),
    describe: (request) => ({ ...request, window: request.window ?? DEFAULT_WINDOW }),
    async listLoaded() {
      if (loaded === null || engineProcess.pid === null) return [];
      const { expiresInMs } = engineProcess;
      const { name, digest, weights } = loaded.stored.model;
      return [{ model: name, digest, weights, window: loaded.window, expiresInMs }];
    },
    pullModel: (name, signal) => pullModel(puller, { name, allowsUrl: false, sha256: null, signal }),
    async deleteModel(name) {
      const stored = await folder.find(name);
      // A file that is in use keeps its memory, and on some systems cannot be deleted.
      if (stored !== null && loaded?.stored.path === stored.path) await engineProcess.stop();
      return folder.remove(name);
    },
    async health() {
      const binding = await setup.binding();
      return { reachable: binding !== null, version: binding?.version ?? null };
    },
    prepare: () => (options.downloadsEnabled ? setup.prepare() : Promise.resolve()),
    get processId() {
      return engineProcess.pid;
    },
    async close() {
      await setup.stop();
      await engineProcess.stop();
    },
  };
}
