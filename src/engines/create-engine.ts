// The engine that the configuration names.
import type { Engine } from '../contract/engine.ts';
import type { Log } from '../kit/log.ts';
import { chooseEngine } from './auto-engine.ts';
import { createOllamaEngine } from './ollama/ollama-engine.ts';

/** As the configuration has it. */
interface EngineConfig {
  readonly engine: 'auto' | 'ollama' | 'embedded';
  readonly ollamaHost: string;
  readonly modelHub: string;
  readonly downloadsEnabled: boolean;
  readonly defaultModel: string | null;
  /** Absolute. */
  readonly dataDir: string;
  readonly firstTokenTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly engineConnectTimeoutSeconds: number;
  readonly engineInfoTimeoutSeconds: number;
  readonly engineUnloadSeconds: number;
}

/** `auto` looks whether anything listens where Ollama should */
export async function createEngine(config: EngineConfig, log: Log): Promise<Engine> {
  const deadlines = {
    firstTokenTimeoutSeconds: config.firstTokenTimeoutSeconds,
    idleTimeoutSeconds: config.idleTimeoutSeconds,
  };
  const ollama = createOllamaEngine({
    ...deadlines,
    baseUrl: config.ollamaHost,
    connectTimeoutSeconds: config.engineConnectTimeoutSeconds,
    infoTimeoutSeconds: config.engineInfoTimeoutSeconds,
  });
  if (config.engine === 'ollama') return ollama;
  const openEmbedded = async () => {
    // Read only where it is used.
    const { createEmbeddedEngine } = await import('./embedded/embedded-engine.ts');
    return createEmbeddedEngine({
      ...deadlines,
      dataDir: config.dataDir,
      modelHub: config.modelHub,
      downloadsEnabled: config.downloadsEnabled,
      defaultModel: config.defaultModel,
      unloadAfterSeconds: config.engineUnloadSeconds,
      report: (text) => log.info(text),
      onCrash: ({ how, stderr }) => log.warn({ how, stderr }, 'the engine process ended'),
    });
  };
  if (config.engine === 'auto') return chooseEngine(ollama, openEmbedded);
  await ollama.close();
  return openEmbedded();
}
