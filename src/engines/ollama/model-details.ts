// What /api/show tells of a model. It never changes for a digest, so it is asked once.
import type { EngineMessage } from '../../contract/engine.ts';
import type { AskOllama } from './ask-ollama.ts';
import { garbled } from './failures.ts';
import { weightsIn } from './held-models.ts';
import type { Tag } from './model-tags.ts';
import { isRecord } from './wire.ts';

/** Ollama gives no less, whatever is asked for. */
const LEAST_WINDOW = 4;

export interface Details {
  readonly capabilities: readonly string[];
  /** What a server that lists no capabilities leaves open. */
  readonly untold: readonly string[];
  readonly trainedLength: number | null;
  /** The `num_ctx` of the Modelfile; null: none. */
  readonly wishedWindow: number | null;
  readonly ownPrompt: readonly EngineMessage[];
  /** Null: a server that does not say where they lie. */
  readonly weights: string | null;
}

export interface ModelDetails {
  /** @throws MochiError when the engine cannot say */
  of(tag: Tag): Promise<Details>;
  /**
   * The same as one of many, a few of which are asked for at once.
   * @param until when it is too late to begin to ask; by the monotonic clock, in milliseconds
   */
  amongMany(tag: Tag, until: number): Promise<Details>;
  /** It cannot do what nobody had told. @returns whether that is news */
  noteLack(tag: Tag, capability: string): Promise<boolean>;
  isKnown(key: string): boolean;
  /** Null where nobody has asked, or where the engine could not say. */
  recall(key: string): Promise<Details | null>;
}

/** Questions at once: the answers of a hostile server add up. */
const AT_ONCE = 8;
const UNTOLD: readonly string[] = ['vision', 'thinking', 'tools'];

export function createModelDetails(ask: AskOllama): ModelDetails {
  const detailsByKey = new Map<string, Promise<Details>>();
  const enter = createPlaces(AT_ONCE);

  function of(tag: Tag): Promise<Details> {
    const cached = detailsByKey.get(tag.key);
    if (cached !== undefined) return cached;
    const asked = ask({ method: 'POST', path: '/api/show', body: { model: tag.name } }).then(({ value }) =>
      toDetails(value, tag.details['family']),
    );
    detailsByKey.set(tag.key, asked);
    // A failure is not remembered.
    asked.catch(() => detailsByKey.delete(tag.key));
    return asked;
  }

  const recall = async (key: string) => (await detailsByKey.get(key)?.catch(() => null)) ?? null;

  return {
    of,
    async amongMany(tag, until) {
      if (detailsByKey.has(tag.key)) return of(tag);
      const leave = await enter();
      try {
        if (performance.now() > until) throw garbled('Describing its models takes too long.');
        return await of(tag);
      } finally {
        leave();
      }
    },
    async noteLack({ key }, capability) {
      const described = await recall(key);
      if (!described?.untold.includes(capability)) return false;
      const untold = described.untold.filter((other) => other !== capability);
      detailsByKey.set(key, Promise.resolve({ ...described, untold }));
      return true;
    },
    isKnown: (key) => detailsByKey.has(key),
    recall,
  };
}

/** @returns waits for one of so many places; what it resolves to gives the place back */
function createPlaces(count: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = count;
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return leave;
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
    untold: listed.length > 0 ? [] : UNTOLD,
    trainedLength: trainedLength(info, family),
    wishedWindow: wishedWindow(answer['parameters']),
    ownPrompt: ownPrompt(answer),
    weights: weightsIn(answer['modelfile']),
  };
}

/** `parameters` is text, a line for each: the only place that tells a Modelfile's num_ctx. */
function wishedWindow(parameters: unknown): number | null {
  const [, told] = typeof parameters === 'string' ? (/^num_ctx\s+(\d+)\s*$/m.exec(parameters) ?? []) : [];
  const window = Number(told ?? 0);
  return Number.isSafeInteger(window) && window >= LEAST_WINDOW ? window : null;
}

/** SYSTEM of the Modelfile, then its MESSAGEs. */
function ownPrompt({ system, messages }: Record<string, unknown>): EngineMessage[] {
  const own: EngineMessage[] = [];
  if (typeof system === 'string' && system !== '') own.push({ role: 'system', content: system });
  for (const message of Array.isArray(messages) ? messages : []) {
    const content: unknown = isRecord(message) ? message['content'] : null;
    const role = isRecord(message) && message['role'] === 'assistant' ? 'assistant' : 'user';
    if (typeof content === 'string') own.push({ role, content });
  }
  return own;
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
