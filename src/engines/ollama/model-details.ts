// What /api/show tells of a model. It never changes for a digest, so it is asked once.
import type { AskOllama } from './ask-ollama.ts';
import { weightsIn } from './held-models.ts';
import { isRecord } from './wire.ts';

/** Ollama gives no less, whatever is asked for. */
const LEAST_WINDOW = 4;

/** An entry of /api/tags. */
export interface Tag {
  readonly name: string;
  readonly digest: string | null;
  /** What its details are known by. */
  readonly key: string;
  readonly size: number;
  readonly details: Record<string, unknown>;
}

export interface Details {
  readonly capabilities: readonly string[];
  readonly trainedLength: number | null;
  /** The `num_ctx` of the Modelfile; null: none. */
  readonly wishedWindow: number | null;
  /** Null: a server that does not say where they lie. */
  readonly weights: string | null;
}

export interface ModelDetails {
  /** @throws MochiError when the engine cannot say */
  of(tag: Tag): Promise<Details>;
  isKnown(key: string): boolean;
  /** Null where nobody has asked, or where the engine could not say. */
  recall(key: string): Promise<Details | null>;
}

export function createModelDetails(ask: AskOllama): ModelDetails {
  const detailsByKey = new Map<string, Promise<Details>>();
  return {
    of(tag) {
      const cached = detailsByKey.get(tag.key);
      if (cached !== undefined) return cached;
      const asked = ask({ method: 'POST', path: '/api/show', body: { model: tag.name } }).then(({ value }) =>
        toDetails(value, tag.details['family']),
      );
      detailsByKey.set(tag.key, asked);
      // A failure is not remembered.
      asked.catch(() => detailsByKey.delete(tag.key));
      return asked;
    },
    isKnown: (key) => detailsByKey.has(key),
    recall: async (key) => (await detailsByKey.get(key)?.catch(() => null)) ?? null,
  };
}

function toDetails(answer: Record<string, unknown>, family: unknown): Details {
  const listed = Array.isArray(answer['capabilities'])
    ? answer['capabilities'].filter((capability) => typeof capability === 'string')
    : [];
  const info = isRecord(answer['model_info']) ? answer['model_info'] : {};
  return {
    // Servers before v0.6.4 list none.
    capabilities: listed.length > 0 ? listed : ['completion'],
    trainedLength: trainedLength(info, family),
    wishedWindow: wishedWindow(answer['parameters']),
    weights: weightsIn(answer['modelfile']),
  };
}

/** `parameters` is text, a line for each: the only place that tells a Modelfile's num_ctx. */
function wishedWindow(parameters: unknown): number | null {
  const [, told] = typeof parameters === 'string' ? (/^num_ctx\s+(\d+)\s*$/m.exec(parameters) ?? []) : [];
  const window = Number(told ?? 0);
  return Number.isSafeInteger(window) && window >= LEAST_WINDOW ? window : null;
}

/** The trained length stands under the architecture's name; some files name it by another key. */
function trainedLength(info: Record<string, unknown>, family: unknown): number | null {
  const architecture = info['general.architecture'];
  const keys = [
    ...(typeof architecture === 'string' ? [`${architecture}.context_length`] : []),
    ...(typeof family === 'string' ? [`${family}.context_length`] : []),
    'context_length',
    ...Object.keys(info).filter((key) => key.endsWith('.context_length')),
  ];
  const lengths = keys.map((key) => info[key]);
  const found = lengths.find((length) => typeof length === 'number' && length >= 1);
  return typeof found === 'number' ? Math.trunc(found) : null;
}
