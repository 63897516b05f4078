// A data folder in which the embedded engine finds a binding without native code, and a model without weights.
import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createEmbeddedEngine,
  type EmbeddedEngineOptions,
} from '../../src/engines/embedded/embedded-engine.ts';
import type { Died } from '../../src/engines/embedded/running-process.ts';
import { writeGguf } from './write-gguf.ts';

const BINDING = fileURLToPath(new URL('../fixtures/fake-binding', import.meta.url));
const JINJA = join(dirname(fileURLToPath(import.meta.resolve('@huggingface/jinja'))), '..');

/** @returns the folder, to be removed by whoever asked for it */
export async function makeEmbeddedData(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-embedded-'));
  const modules = join(dataDir, 'engine', 'node_modules');
  await cp(BINDING, modules, { recursive: true });
  // What renders templates is the real one, in the version that the binding brings along.
  await cp(JINJA, join(modules, '@huggingface', 'jinja'), { recursive: true });
  await mkdir(join(dataDir, 'models'));
  await writeGguf(join(dataDir, 'models', 'small.gguf'));
  return dataDir;
}

export interface RecordedEngine {
  readonly engine: ReturnType<typeof createEmbeddedEngine>;
  readonly reports: string[];
  readonly crashes: Died[];
}

export function openEmbedded(dataDir: string, options: Partial<EmbeddedEngineOptions> = {}): RecordedEngine {
  const reports: string[] = [];
  const crashes: Died[] = [];
  const engine = createEmbeddedEngine({
    dataDir,
    modelHub: 'http://127.0.0.1:1',
    downloadsEnabled: false,
    defaultModel: null,
    unloadAfterSeconds: 60,
    firstTokenTimeoutSeconds: 30,
    idleTimeoutSeconds: 30,
    report: (text) => reports.push(text),
    onCrash: (details) => crashes.push(details),
    ...options,
  });
  return { engine, reports, crashes };
}
