// Models of an Ollama: names, details, capabilities. Details never change for a digest, so they are asked once.
import type { EngineLoadedModel, EngineModel } from '../../contract/engine.ts';
import { createAsk } from './ask-ollama.ts';
import { type HeldModel, toHeldModels } from './held-models.ts';
import { createModelDetails, type Details, type Tag } from './model-details.ts';
import type { OllamaHttp } from './ollama-http.ts';
import { isRecord } from './wire.ts';

export interface OllamaModels {
  list(): Promise<EngineModel[]>;
  find(name: string): Promise<EngineModel | null>;
  recall(name: string): Promise<EngineModel | null>;
  listLoaded(): Promise<EngineLoadedModel[]>;
  /** Forgets what a name stood for: the chat said that it is gone. */
  forget(name: string): void;
}

export interface OllamaModelsOptions {
  readonly http: OllamaHttp;
  readonly timeoutMs: number;
}

/** Asked for when the engine does not say how long a model was trained for (ORIGINAL.md §4). */
const UNKNOWN_CONTEXT_LENGTH = 2048;
const BYTES_PER_MB = 1_048_576;
/** An answer takes a few milliseconds: after this time it is not to be relied on. */
const SHARED_MS = 200;

export function createOllamaModels({ http, timeoutMs }: OllamaModelsOptions): OllamaModels {
  const known = new Map<string, EngineModel>();
  /** Digests of models in memory that no name stands for any more. */
  const strangers = new Set<string>();
  const ask = createAsk(http, timeoutMs);
  const details = createModelDetails(ask);
  let tagsUnderway: { readonly tags: Promise<Tag[]>; readonly askedAt: number } | null = null;

  async function askTags(): Promise<Tag[]> {
    return toTags((await ask({ method: 'GET', path: '/api/tags' })).value);
  }

  /** Requests that come together share one answer; who comes later does not wait for one that hangs. */
  function tags(): Promise<Tag[]> {
    const now = performance.now();
    if (tagsUnderway !== null && now - tagsUnderway.askedAt < SHARED_MS) return tagsUnderway.tags;
    const asked = askTags();
    const underway = { tags: asked, askedAt: now };
    tagsUnderway = underway;
    const forget = () => {
      if (tagsUnderway === underway) tagsUnderway = null;
    };
    asked.then(forget, forget);
    return asked;
  }

  async function describe(tag: Tag): Promise<EngineModel> {
    const model = toModel(tag, await details.of(tag));
    known.set(comparable(tag.name), model);
    return model;
  }

  const find = async (name: string) => findIn(await tags(), name);

  async function findIn(listed: readonly Tag[], name: string): Promise<EngineModel | null> {
    const wanted = comparable(name);
    const tag = listed.find((candidate) => comparable(candidate.name) === wanted);
    if (tag !== undefined) return describe(tag);
    known.delete(wanted);
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
      const described = await Promise.allSettled((await tags()).map(describe));
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
    forget: (name) => known.delete(comparable(name)),
  };
}

function canChat(model: EngineModel): boolean {
  return model.capabilities.includes('completion');
}

/** Names as Ollama compares them: letter case does not count, and a missing tag means `:latest`. */
function comparable(name: string): string {
  const afterPath = name.slice(name.lastIndexOf('/') + 1);
  return (afterPath.includes(':') ? name : `${name}:latest`).toLowerCase();
}

function toTags(answer: Record<string, unknown>): Tag[] {
  const models = Array.isArray(answer['models']) ? answer['models'] : [];
  return models.filter(isRecord).flatMap((model) => {
    const name = model['name'] ?? model['model'];
    if (typeof name !== 'string') return [];
    const size = typeof model['size'] === 'number' ? model['size'] : 0;
    const digest = typeof model['digest'] === 'string' ? model['digest'] : null;
    const key = digest ?? JSON.stringify([name, size, model['modified_at']]);
    return [{ name, digest, key, size, details: isRecord(model['details']) ? model['details'] : {} }];
  });
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
    context_length: details.trainedLength ?? UNKNOWN_CONTEXT_LENGTH,
    trainedLength: details.trainedLength,
    wishedWindow: details.wishedWindow,
    digest: tag.digest,
    weights: details.weights ?? tag.key,
  };
}
