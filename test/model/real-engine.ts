// The engine behind the tests on a real model: the embedded one, or the Ollama that MOCHI_TEST_OLLAMA names.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, loadConfig } from '../../src/config.ts';
import type { Engine } from '../../src/contract/engine.ts';
import { findInCatalogue, TOY_MODEL } from '../../src/engines/embedded/catalogue.ts';
import { createEmbeddedEngine, type EmbeddedEngine } from '../../src/engines/embedded/embedded-engine.ts';
import { WITHOUT_BACKGROUND_JOBS } from '../support/spawned-server.ts';

/** The toy, which can be had almost everywhere, unless another one of the catalogue is named. */
export const TEST_MODEL = findInCatalogue(process.env['MOCHI_TEST_MODEL'] ?? '') ?? TOY_MODEL;

/** Kept between runs: what was fetched once is not fetched again. */
export const REAL_DATA_DIR =
  process.env['MOCHI_TEST_MODEL_DIR'] ??
  join(tmpdir(), TEST_MODEL === TOY_MODEL ? 'mochi-real-model' : `mochi-real-${TEST_MODEL.name}`);

const ollama = process.env['MOCHI_TEST_OLLAMA'];

export const isEmbedded = ollama === undefined;

export function openRealEngine(report: (text: string) => void = () => undefined): EmbeddedEngine {
  return createEmbeddedEngine({
    dataDir: REAL_DATA_DIR,
    modelHub: 'https://huggingface.co',
    downloadsEnabled: true,
    defaultModel: TEST_MODEL.name,
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

/** Stored models of fewer megabytes are references to some that run elsewhere. */
const LEAST_MB = 10;

/** The model to talk to: the one that was named, else the smallest. */
export async function realModel(engine: Engine): Promise<string> {
  if (isEmbedded) return TEST_MODEL.name;
  const models = await engine.listModels();
  const wanted = process.env['MOCHI_TEST_OLLAMA_MODEL'];
  const found =
    wanted === undefined
      ? models
          .filter(({ size_mb }) => size_mb > LEAST_MB)
          .toSorted((left, right) => left.size_mb - right.size_mb)[0]
      : await engine.findModel(wanted);
  if (found != null) return found.name;
  const names = models.map(({ name }) => name).join(', ') || 'none';
  throw new Error(`There is no model to test with. MOCHI_TEST_OLLAMA_MODEL can be one of: ${names}.`);
}

/** Whatever others have loaded: the tests begin with a model that is not in memory, under any of its names. */
export async function unload(engine: Engine, model: string): Promise<void> {
  if (isEmbedded) return;
  const weights = (await engine.findModel(model))?.weights;
  const isHeld = async () => (await engine.listLoaded()).some((held) => held.weights === weights);
  for (let tries = 0; tries < UNLOAD_TRIES && (await isHeld()); tries += 1) {
    const body = JSON.stringify({ model, messages: [], keep_alive: 0 });
    await fetch(new URL('/api/chat', ollama), { method: 'POST', body });
    await delay(UNLOAD_PAUSE_MS);
  }
}

const UNLOAD_TRIES = 20;
const UNLOAD_PAUSE_MS = 500;
