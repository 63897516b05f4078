// What /api/tags tells: which names there are.
import type { AskOllama } from './ask-ollama.ts';
import { isRecord } from './wire.ts';

/** An entry of /api/tags. */
export interface Tag {
  readonly name: string;
  readonly digest: string | null;
  /** What its details are known by. */
  readonly key: string;
  readonly size: number;
  /** Null: it does not say. */
  readonly modifiedAt: string | null;
  readonly details: Record<string, unknown>;
}

export interface Tags {
  /** @throws MochiError when the engine cannot say */
  ask(): Promise<Tag[]>;
  /** The same; requests that come together share one answer, who comes later does not wait for one that hangs. */
  share(): Promise<Tag[]>;
}

/** More would be no list of models. */
const MAX_MODELS = 10_000;
/** An answer takes a few milliseconds: after this time it is not to be relied on. */
const SHARED_MS = 200;

export function createTags(askOllama: AskOllama): Tags {
  let underway: { readonly tags: Promise<Tag[]>; readonly askedAt: number } | null = null;

  async function ask(): Promise<Tag[]> {
    return toTags((await askOllama({ method: 'GET', path: '/api/tags' })).value);
  }

  return {
    ask,
    share() {
      const now = performance.now();
      if (underway !== null && now - underway.askedAt < SHARED_MS) return underway.tags;
      const mine = { tags: ask(), askedAt: now };
      underway = mine;
      const forget = () => {
        if (underway === mine) underway = null;
      };
      mine.tags.then(forget, forget);
      return mine.tags;
    },
  };
}

export function tagOf(listed: readonly Tag[], name: string): Tag | undefined {
  const wanted = comparable(name);
  return listed.find((candidate) => comparable(candidate.name) === wanted);
}

/** Names as Ollama compares them: letter case does not count, and a missing tag means `:latest`. */
export function comparable(name: string): string {
  const afterPath = name.slice(name.lastIndexOf('/') + 1);
  return (afterPath.includes(':') ? name : `${name}:latest`).toLowerCase();
}

function toTags(answer: Record<string, unknown>): Tag[] {
  const models = Array.isArray(answer['models']) ? answer['models'] : [];
  return models
    .slice(0, MAX_MODELS)
    .filter(isRecord)
    .flatMap((model) => {
      const name = model['name'] ?? model['model'];
      if (typeof name !== 'string') return [];
      const size = typeof model['size'] === 'number' ? model['size'] : 0;
      const digest = typeof model['digest'] === 'string' ? model['digest'] : null;
      const key = digest ?? JSON.stringify([name, size, model['modified_at']]);
      const modifiedAt = typeof model['modified_at'] === 'string' ? model['modified_at'] : null;
      const details = isRecord(model['details']) ? model['details'] : {};
      return [{ name, digest, key, size, modifiedAt, details }];
    });
}
