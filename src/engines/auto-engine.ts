// Ollama where it runs, the embedded engine where it does not.
import type { Engine } from '../contract/engine.ts';

/** How long a start may wait for Ollama, which answers in a few milliseconds or not at all. */
const PROBE_MS = 300;

/** @returns Ollama when it answers now; else an engine that has the embedded models, and Ollama's once it is there */
export async function chooseEngine(ollama: Engine, openEmbedded: () => Promise<Engine>): Promise<Engine> {
  const tooLate = new AbortController();
  const late = new Promise<null>((resolve) => {
    const timer = setTimeout(() => resolve(null), PROBE_MS);
    tooLate.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const health = await Promise.race([ollama.health(), late]);
  tooLate.abort();
  return health?.reachable === true ? ollama : embeddedFirst(ollama, await openEmbedded());
}

/**
 * A model of the embedded engine runs there. Any other name is Ollama's business, which may have been started
 * meanwhile, and otherwise says that it cannot be reached.
 */
function embeddedFirst(ollama: Engine, embedded: Engine): Engine {
  return {
    ...embedded,
    address: ollama.address,
    async *chat(request, signal) {
      const isEmbedded = (await embedded.findModel(request.model)) !== null;
      yield* (isEmbedded ? embedded : ollama).chat(request, signal);
    },
    async listModels() {
      const own = await embedded.listModels();
      // Without a model of its own it has nothing to say but why Ollama has none.
      return own.length === 0 ? ollama.listModels() : [...own, ...(await listIfThere(ollama))];
    },
    async defaultModel() {
      const [own] = await embedded.listModels();
      const [other] = own === undefined ? await listIfThere(ollama) : [];
      return own ?? other ?? embedded.defaultModel();
    },
    findModel: async (name) => (await embedded.findModel(name)) ?? ollama.findModel(name),
    recallModel: async (name) => (await embedded.recallModel(name)) ?? ollama.recallModel(name),
    async listLoaded() {
      const [own, others] = await Promise.all([embedded.listLoaded(), ollama.listLoaded().catch(() => [])]);
      return [...own, ...others];
    },
    async health() {
      const [own, other] = await Promise.all([embedded.health(), ollama.health()]);
      return { ...own, ollama: other.reachable };
    },
    async prepare() {
      // It may only have been slow.
      const { reachable } = await ollama.health();
      if (!reachable) await embedded.prepare?.();
    },
    close: async () => void (await Promise.all([ollama.close(), embedded.close()])),
  };
}

async function listIfThere(ollama: Engine): ReturnType<Engine['listModels']> {
  const { reachable } = await ollama.health();
  return reachable ? ollama.listModels() : [];
}
