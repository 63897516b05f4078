// `mochi-server pull`: fetches a model, with a bar on a terminal and a line now and then elsewhere.
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { PullProgress } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { createEngine } from '../engines/create-engine.ts';
import { openModelsFolder } from '../engines/embedded/models-folder.ts';
import { isEmbeddedName, pullModel } from '../engines/embedded/pull-model.ts';
import { createWaitingLine } from '../engines/embedded/waiting-line.ts';
import { createLog } from '../kit/log.ts';
import { ExitError } from './command.ts';
import { createProgressView } from './show-progress.ts';
import { sayError } from './terminal.ts';

export async function pull(config: Config, name: string, sha256: string | null): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const view = createProgressView();
  try {
    for await (const progress of start(config, { name, sha256, signal: stop.signal })) view.show(progress);
    if (process.stderr.isTTY) sayError('\n');
  } catch (error) {
    if (stop.signal.aborted) {
      sayError('\nStopped. The next pull goes on from here.\n');
      throw new ExitError(130);
    }
    if (!(error instanceof MochiError)) throw error;
    sayError(`\nmochi-server: ${error.message}\n`);
    throw new ExitError(1);
  }
}

interface Wanted {
  readonly name: string;
  readonly sha256: string | null;
  readonly signal: AbortSignal;
}

async function* start(config: Config, wanted: Wanted): AsyncGenerator<PullProgress, void> {
  if (config.engine !== 'ollama' && isEmbeddedName(wanted.name)) {
    const folder = openModelsFolder(join(config.dataDir, 'models'));
    const puller = { folder, hub: config.modelHub, line: createWaitingLine() };
    yield* pullModel(puller, { ...wanted, allowsUrl: true });
    return;
  }
  const engine = await createEngine(config, createLog({ level: 'error', format: config.logFormat }));
  try {
    yield* engine.pullModel(wanted.name, wanted.signal);
  } finally {
    await engine.close();
  }
}
