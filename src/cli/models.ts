// `mochi-server models`: what can be chatted with, and what is in memory where.
import type { Config } from '../config.ts';
import type { Engine } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { createEngine } from '../engines/create-engine.ts';
import { createLog } from '../kit/log.ts';
import { ownCommand } from '../kit/own-command.ts';
import { ExitError } from './command.ts';
import { ASKED_ONCE, connectServer } from './server-client.ts';
import { say, sayError, sayTable } from './terminal.ts';

export async function listModels(config: Config): Promise<void> {
  const engine = await createEngine(config, createLog({ level: 'error', format: config.logFormat }));
  try {
    const models = await engine.listModels();
    const loaded = (await loadedInServer(config)) ?? (await engine.listLoaded());
    const rows = models.map((model) => {
      const inMemory = loaded.find((candidate) => candidate.model === model.name);
      return [
        model.name,
        `${model.size_mb} MB`,
        model.quantization_level,
        String(model.context_length),
        model.capabilities.join(' '),
        inMemory === undefined ? '-' : `window ${inMemory.window ?? 'unknown'}`,
      ];
    });
    say(`Engine: ${engine.name} (${engine.address})\n`);
    if (rows.length === 0) say(`No models. Fetch one: ${pullCommand(engine)}\n`);
    else sayTable([['NAME', 'SIZE', 'QUANTIZATION', 'TRAINED FOR', 'CAN', 'IN MEMORY'], ...rows]);
  } catch (error) {
    if (!(error instanceof MochiError)) throw error;
    sayError(`mochi-server: ${error.message}\n`);
    throw new ExitError(1);
  } finally {
    await engine.close();
  }
}

/** A small model that the engine can fetch, by the name that it has there. */
export function pullCommand({ name }: Engine): string {
  return ownCommand(`pull ${name === 'ollama' ? 'qwen3:0.6b' : 'qwen3-0.6b'}`);
}

interface Loaded {
  readonly model: string;
  readonly window: number | null;
}

/** The embedded engine belongs to the server that runs; null when there is none. */
export async function loadedInServer(config: Config): Promise<readonly Loaded[] | null> {
  try {
    const { models } = await connectServer(config, undefined, ASKED_ONCE).models.loaded();
    return models.map(({ name, window }) => ({ model: name, window }));
  } catch {
    return null;
  }
}
