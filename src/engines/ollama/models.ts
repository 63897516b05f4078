// Models of an Ollama: names, details, capabilities. Details never change for a digest, so they are asked once.
import type { EngineLoadedModel, EngineModel } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { askForText, createAsk } from './ask-ollama.ts';
import { isRefusal, notSupported } from './failures.ts';
import { type HeldModel, toHeldModels } from './held-models.ts';
import { createModelDetails, type Details } from './model-details.ts';
import { comparable, createTags, type Tag, tagOf } from './model-tags.ts';
import type { OllamaHttp } from './ollama-http.ts';

export interface OllamaModels {
  list(): Promise<EngineModel[]>;
  find(name: string): Promise<EngineModel | null>;
  recall(name: string): Promise<EngineModel | null>;
  listLoaded(): Promise<EngineLoadedModel[]>;
  unload(name: string): Promise<void>;
  load(
    name: string,
    wish: { readonly window: number | null; readonly keepAlive: string | number | null },
    signal: AbortSignal,
  ): Promise<void>;
  /** Forgets what a name stood for: the chat said that it is gone. */
  forget(name: string): void;
  /** The chat said that it cannot do what nobody had told. @returns whether that is news */
  noteLack(name: string, capability: string): Promise<boolean>;
}

export interface OllamaModelsOptions {
  readonly http: OllamaHttp;
  readonly timeoutMs: number;
}

/** Asked for when the engine does not say how long a model was trained for (ORIGINAL.md §4). */
const UNKNOWN_CONTEXT_LENGTH = 2048;
const BYTES_PER_MB = 1_048_576;

export function createOllamaModels({ http, timeoutMs }: OllamaModelsOptions): OllamaModels {
  const known = new Map<string, EngineModel>();
  /** Digests of models in memory that no name stands for any more. */
  const strangers = new Set<string>();
  const ask = createAsk(http, timeoutMs);
  const details = createModelDetails(ask);
  const { ask: askTags, share: tags } = createTags(ask);

  async function describe(tag: Tag, asked = details.of(tag)): Promise<EngineModel> {
    const model = toModel(tag, await asked);
    known.set(comparable(tag.name), model);
    return model;
  }

  const find = async (name: string) => findIn(await tags(), name);

  async function findIn(listed: readonly Tag[], name: string): Promise<EngineModel | null> {
    const tag = tagOf(listed, name);
    if (tag !== undefined) return describe(tag);
    known.delete(comparable(name));
    return null;
  }

  /** A name that was loaded as another model than the one that it was known for. */
  async function lookAnew(held: readonly HeldModel[]): Promise<void> {
    const changed = held.filter(({ model, digest }) => {
      const last = known.get(comparable(model));
      return last !== undefined && digest !== null && last.digest !== digest;
    });
    if (changed.length === 0) return;
    const listed = await askTags().catch(() => null);
    if (listed === null) return;
    await Promise.allSettled(changed.map(({ model }) => findIn(listed, model)));
  }

  /** Of a model in memory, whatever name has loaded it; its digest where nothing more can be known. */
  async function weightsOf({ model, digest }: HeldModel): Promise<string> {
    if (digest === null) return known.get(comparable(model))?.weights ?? model;
    if (!details.isKnown(digest) && !strangers.has(digest)) {
      // Nobody waits for it, so nobody shares it: it may hang.
      const listed = await askTags().catch(() => null);
      const tag = listed?.find(({ key }) => key === digest);
      if (tag !== undefined) await details.of(tag).catch(() => undefined);
      else if (listed !== null) strangers.add(digest);
    }
    const described = await details.recall(digest);
    return described?.weights ?? digest;
  }

  return {
    find,
    async list() {
      const until = performance.now() + timeoutMs;
      const asked = (await tags()).map((tag) => describe(tag, details.amongMany(tag, until)));
      const described = await Promise.allSettled(asked);
      // One that the engine will not describe is left out, and asked about again next time.
      const models = described.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      return models.filter(canChat);
    },
    async recall(name) {
      return known.get(comparable(name)) ?? find(name);
    },
    async listLoaded() {
      const { value, toldAt } = await ask({ method: 'GET', path: '/api/ps' });
      const held = toHeldModels(value, toldAt);
      await lookAnew(held);
      return Promise.all(held.map(async (model) => ({ ...model, weights: await weightsOf(model) })));
    },
    async unload(model) {
      await ask({ method: 'POST', path: '/api/chat', body: { model, messages: [], keep_alive: 0 } });
    },
    async load(model, { window, keepAlive }, signal) {
      const body = {
        model,
        messages: [],
        ...(window !== null && { options: { num_ctx: window } }),
        ...(keepAlive !== null && { keep_alive: keepAlive }),
      };
      await askForText(http, { method: 'POST', path: '/api/chat', body, signal }).catch(refused(model));
    },
    forget: (name) => known.delete(comparable(name)),
    async noteLack(name, capability) {
      const tag = tagOf(await tags().catch(() => []), name);
      if (tag === undefined || !(await details.noteLack(tag, capability))) return false;
      await describe(tag);
      return true;
    },
  };
}

/** @returns what throws what came in the place of an answer */
function refused(model: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof MochiError && isRefusal(error) ? notSupported(error, model) : error;
  };
}

function canChat(model: EngineModel): boolean {
  return model.capabilities.includes('completion');
}

function toModel(tag: Tag, details: Details): EngineModel {
  const detail = (key: string) => {
    const value = tag.details[key];
    return typeof value === 'string' && value !== '' ? value : 'unknown';
  };
  return {
    name: tag.name,
    size_mb: Math.round((tag.size / BYTES_PER_MB) * 10) / 10,
    format: detail('format'),
    family: detail('family'),
    parameter_size: detail('parameter_size'),
    quantization_level: detail('quantization_level'),
    capabilities: [...details.capabilities],
    untold: details.untold,
    context_length: details.trainedLength ?? UNKNOWN_CONTEXT_LENGTH,
    trainedLength: details.trainedLength,
    wishedWindow: details.wishedWindow,
    ownPrompt: details.ownPrompt,
    digest: tag.digest,
    weights: details.weights ?? tag.key,
    sizeBytes: tag.size,
    ...(tag.modifiedAt !== null && { modifiedAt: tag.modifiedAt }),
  };
}
