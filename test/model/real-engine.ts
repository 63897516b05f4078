// The engine behind the tests on a real model: the embedded one, or the Ollama that MOCHI_TEST_OLLAMA names.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config.ts';
import { TOY_MODEL } from '../../src/engines/embedded/catalogue.ts';
import { createEmbeddedEngine, type EmbeddedEngine } from '../../src/engines/embedded/embedded-engine.ts';
import { WITHOUT_BACKGROUND_JOBS } from '../support/spawned-server.ts';

/** Kept between runs: what was fetched once is not fetched again. */
export const REAL_DATA_DIR = process.env['MOCHI_TEST_MODEL_DIR'] ?? join(tmpdir(), 'mochi-real-model');

const ollama = process.env['MOCHI_TEST_OLLAMA'];

export const isEmbedded = ollama === undefined;

export function openRealEngine(report: (text: string) => void = () => undefined): EmbeddedEngine {
  return createEmbeddedEngine({
    dataDir: REAL_DATA_DIR,
    modelHub: 'https://huggingface.co',
    downloadsEnabled: true,
    defaultModel: TOY_MODEL.name,
    unloadAfterSeconds: 300,
    firstTokenTimeoutSeconds: 80,
    idleTimeoutSeconds: 80,
    report,
    onCrash: () => undefined,
  });
}

/** The configuration of a server with this engine. */
export function realConfig(dataDir: string, flags: Record<string, string> = {}): Config {
  const engine = isEmbedded ? { engine: 'embedded' } : { engine: 'ollama', ollamaHost: ollama };
  const loaded = loadConfig({
    env: WITHOUT_BACKGROUND_JOBS,
    flags: { port: '0', dataDir, ...engine, ...flags },
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

/** The model to talk to. */
export async function realModel(list: () => Promise<readonly string[]>): Promise<string> {
  const wanted = process.env['MOCHI_TEST_OLLAMA_MODEL'];
  if (isEmbedded) return TOY_MODEL.name;
  return wanted ?? (await list())[0] ?? '';
}
