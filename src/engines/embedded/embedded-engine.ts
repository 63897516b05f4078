// llama.cpp behind the Engine interface, in a process of its own: for a machine that has nothing but Node.
import { join } from 'node:path';
import type { Engine, EngineChatRequest, EngineChunk, EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { findInCatalogue, isToy } from './catalogue.ts';
import { createEngineProcess } from './engine-process.ts';
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
  const setup = createSetup({ ...options, puller });
  const engineProcess = createEngineProcess({ ...options, idleMs: options.unloadAfterSeconds * 1000 });
  let loaded: { readonly stored: StoredModel; readonly window: number } | null = null;

  async function* chat(
    { model: name, window, ...request }: EngineChatRequest,
    signal: AbortSignal,
  ): AsyncGenerator<readonly EngineChunk[], void> {
    const stored = await folder.find(name);
    signal.throwIfAborted();
    const binding = await setup.binding();
    if (stored === null) throw missing(name);
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

  /** A model that is fetched by itself is not missing, but not ready. */
  function missing(name: string): MochiError {
    if (findInCatalogue(name) !== null) return setup.notReady();
    return new MochiError('model_not_found', `Model ${name.slice(0, 200)} is not installed.`, {
      model: name.slice(0, 200),
    });
  }

  /** The toy comes last: the first is what is taken where nobody names one. */
  async function listModels(): Promise<readonly EngineModel[]> {
    const models = (await folder.list()).map(({ model }) => model);
    const canChat = models.filter((model) => model.capabilities.includes('completion'));
    return canChat.toSorted((left, right) => Number(isToy(left.name)) - Number(isToy(right.name)));
  }

  async function findModel(name: string): Promise<EngineModel | null> {
    const stored = await folder.find(name);
    if (stored !== null) return stored.model;
    if (findInCatalogue(name) !== null) throw setup.notReady();
    return null;
  }

  return {
    name: 'embedded',
    address: 'in a process of its own',
    chat,
    listModels,
    async defaultModel() {
      const [first] = await listModels();
      if (first === undefined) throw setup.notReady();
      return first;
    },
    findModel,
    recallModel: findModel,
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
