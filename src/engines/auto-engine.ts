// Ollama where it runs, the embedded engine where it does not.
import type { Engine } from '../contract/engine.ts';

/** How long a start may wait for Ollama. Milliseconds. */
const PROBE_MS = 1000;

/** @returns Ollama when it answers now; else an engine that has the embedded models, and Ollama's once it is there */
export async function chooseEngine(ollama: Engine, embedded: Engine): Promise<Engine> {
  const tooLate = new AbortController();
  const late = new Promise<null>((resolve) => {
    const timer = setTimeout(() => resolve(null), PROBE_MS);
    tooLate.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const health = await Promise.race([ollama.health(), late]);
  tooLate.abort();
  return health?.reachable === true ? withBoth(ollama, embedded) : embeddedFirst(ollama, embedded);
}

/** Only Ollama; the other one is closed with it. */
function withBoth(ollama: Engine, embedded: Engine): Engine {
  return { ...ollama, close: async () => void (await Promise.all([ollama.close(), embedded.close()])) };
}

/**
 * A model of the embedded engine runs there. Any other name is Ollama's business, which may have been started
 * meanwhile, and otherwise says that it cannot be reached.
 */
function embeddedFirst(ollama: Engine, embedded: Engine): Engine {
  return {
    ...embedded,
    async *chat(request, signal) {
      const isEmbedded = (await embedded.findModel(request.model)) !== null;
      yield* (isEmbedded ? embedded : ollama).chat(request, signal);
    },
    async listModels() {
      const [own, others] = await Promise.all([embedded.listModels(), listIfThere(ollama)]);
      return [...own, ...others];
    },
    findModel: async (name) => (await embedded.findModel(name)) ?? ollama.findModel(name),
    recallModel: async (name) => (await embedded.recallModel(name)) ?? ollama.recallModel(name),
    async listLoaded() {
      const [own, others] = await Promise.all([embedded.listLoaded(), ollama.listLoaded().catch(() => [])]);
      return [...own, ...others];
    },
    close: async () => void (await Promise.all([ollama.close(), embedded.close()])),
  };
}

async function listIfThere(ollama: Engine): ReturnType<Engine['listModels']> {
  const { reachable } = await ollama.health();
  return reachable ? ollama.listModels() : [];
}
