// What the engine process holds in memory: one model, and one context of it with what was evaluated so far.
import type { Binding, Context, Jinja, Llama, LoadedModel, Sequence } from './binding.ts';
import type { ProcessChat } from './protocol.ts';
import { createPromptRenderer } from './render-prompt.ts';

export interface Ready {
  readonly llama: Llama;
  readonly model: LoadedModel;
  readonly sequence: Sequence;
  readonly renderPrompt: ReturnType<typeof createPromptRenderer>;
  /** Milliseconds; null where everything was in memory already. */
  readonly loadMs: number | null;
}

export interface ContextHolder {
  /** Loads what the chat needs and lets go of what it does not. */
  ready(chat: ProcessChat, threads: number | null): Promise<Ready>;
}

export function createContextHolder(binding: Binding, jinja: Jinja): ContextHolder {
  let llama: Llama | null = null;
  let loaded: { path: string; model: LoadedModel; render: Ready['renderPrompt'] } | null = null;
  let open: { window: number; threads: number; context: Context; sequence: Sequence } | null = null;

  async function loadModel(runtime: Llama, path: string): Promise<NonNullable<typeof loaded>> {
    if (loaded?.path === path) return loaded;
    await closeContext();
    await loaded?.model.dispose();
    loaded = null;
    const model = await runtime.loadModel({ modelPath: path, gpuLayers: 0 });
    loaded = { path, model, render: createPromptRenderer(jinja, model) };
    return loaded;
  }

  async function closeContext(): Promise<void> {
    const closing = open?.context;
    open = null;
    await closing?.dispose();
  }

  return {
    async ready({ modelPath, window }, wanted) {
      const startedAt = performance.now();
      llama ??= await binding.getLlama({
        gpu: false,
        build: 'never',
        skipDownload: true,
        logLevel: 'error',
      });
      const { model, render } = await loadModel(llama, modelPath);
      // One core stays free: threads that outnumber the cores wait for each other at every token.
      const threads = wanted ?? Math.max(1, llama.cpuMathCores - 1);
      let isReload = false;
      if (open === null || open.window !== window || open.threads !== threads) {
        isReload = true;
        await closeContext();
        const context = await model.createContext({ contextSize: window, sequences: 1, threads });
        open = { window, threads, context, sequence: context.getSequence() };
      }
      return {
        llama,
        model,
        sequence: open.sequence,
        renderPrompt: render,
        loadMs: isReload ? performance.now() - startedAt : null,
      };
    },
  };
}
