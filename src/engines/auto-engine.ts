// Ollama where something listens for it, the embedded engine where nothing does.
import type { Engine } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { inventoryOf, missingModel } from './inventory.ts';
import { listens } from './listens.ts';

/** How long a start may wait for a connection, which is made in a few milliseconds or not at all. */
const PROBE_MS = 300;

/**
 * What listens and is no Ollama, or not yet able to answer, is for people to look at: it says what is wrong.
 * @returns Ollama when something listens there; else an engine that has the embedded models, and Ollama's once it is there
 */
export async function chooseEngine(ollama: Engine, openEmbedded: () => Promise<Engine>): Promise<Engine> {
  return (await isThere(ollama)) ? ollama : embeddedFirst(ollama, await openEmbedded());
}

function isThere({ address }: Engine): Promise<boolean> {
  return listens(address, PROBE_MS);
}

/**
 * A model of the embedded engine runs there. Any other name is asked of an Ollama, where one has been started
 * meanwhile.
 */
function embeddedFirst(ollama: Engine, embedded: Engine): Engine {
  const findAnywhere = async (name: string) =>
    (await embedded.findModel(name)) ?? ((await isThere(ollama)) ? ollama.findModel(name) : null);

  const listModels = async () => [...(await embedded.listModels()), ...(await listIfThere(ollama))];

  /** Who runs it. @throws MochiError model_not_found */
  async function ownerOf(model: string): Promise<Engine> {
    if ((await embedded.findModel(model)) !== null) return embedded;
    if (await isThere(ollama)) return ollama;
    throw missingModel(model, await inventory());
  }

  async function inventory(): Promise<string> {
    const installed = await inventoryOf(listModels);
    if (!(await isThere(ollama)))
      return `${installed} No Ollama answers at ${ollama.address} that might have it.`;
    const { problem } = await ollama.health();
    return problem === undefined ? installed : `${installed} ${problem.message}`;
  }

  return {
    ...embedded,
    departures: () => ollama.departures?.() ?? 0,
    inventory,
    async *chat(request, signal) {
      const owner = await ownerOf(request.model).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
      yield* owner.chat(request, signal);
    },
    async *complete(request, signal) {
      const { complete } = await ownerOf(request.model);
      if (complete === undefined) throw cannot('complete a text as it is', request.model);
      yield* complete(request, signal);
    },
    async embed(request, signal) {
      const { embed } = await ownerOf(request.model);
      if (embed === undefined) throw cannot('make vectors of texts', request.model);
      return embed(request, signal);
    },
    async loadModel(name, wish, signal) {
      await (await ownerOf(name)).loadModel?.(name, wish, signal);
    },
    listModels,
    async defaultModel() {
      const [own] = await embedded.listModels();
      const [other] = own === undefined ? await listIfThere(ollama) : [];
      return own ?? other ?? embedded.defaultModel();
    },
    findModel: findAnywhere,
    async recallModel(name) {
      const own = await embedded.recallModel(name);
      if (own !== null) return own;
      return (await isThere(ollama)) ? ollama.recallModel(name) : null;
    },
    async listLoaded() {
      const others = async () => ((await isThere(ollama)) ? ollama.listLoaded().catch(() => []) : []);
      return (await Promise.all([embedded.listLoaded(), others()])).flat();
    },
    async *pullModel(name, signal) {
      try {
        yield* embedded.pullModel(name, signal);
      } catch (error) {
        const isUnknown = error instanceof MochiError && error.kind === 'model_not_found';
        if (!isUnknown || !(await isThere(ollama))) throw error;
        yield* ollama.pullModel(name, signal);
      }
    },
    async deleteModel(name) {
      if (await embedded.deleteModel(name)) return true;
      return (await isThere(ollama)) && ollama.deleteModel(name);
    },
    async health() {
      const [own, { reachable }] = await Promise.all([embedded.health(), ollama.health()]);
      return { ...own, ollama: { reachable, address: ollama.address } };
    },
    async prepare() {
      // It may only have been slow.
      if (!(await isThere(ollama))) await embedded.prepare?.();
    },
    close: async () => void (await Promise.all([ollama.close(), embedded.close()])),
  };
}

function cannot(what: string, model: string): MochiError {
  return new MochiError('not_supported', `The embedded engine cannot ${what}. Use a model of an Ollama.`, {
    model,
  });
}

/** What is of use now: an Ollama with a fault takes nothing away from the embedded models. */
async function listIfThere(ollama: Engine): ReturnType<Engine['listModels']> {
  return (await isThere(ollama)) ? ollama.listModels().catch(() => []) : [];
}
