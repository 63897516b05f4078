// What the embedded engine needs before its first chat: the native binding and a model. Fetched once, on demand.
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { ownCommand } from '../../kit/own-command.ts';
import {
  type CatalogueEntry,
  DEFAULT_MODEL,
  findInCatalogue,
  isToy,
  TOY_MODEL,
  TOY_WARNING,
} from './catalogue.ts';
import { type FoundBinding, findBinding } from './find-binding.ts';
import { installBinding } from './install-binding.ts';
import { memoryFor } from './memory.ts';
import { type Puller, pullModel } from './pull-model.ts';

export interface SetupOptions {
  readonly dataDir: string;
  readonly puller: Puller;
  /** false: nothing is ever fetched unasked. */
  readonly downloadsEnabled: boolean;
  /** The model that the operator names; null, or one that is not known here: what suits the machine. */
  readonly defaultModel: string | null;
  /** Bytes of memory that are free. */
  readonly freeMemory: () => number;
  /** What is told to people while something is fetched. */
  readonly report: (text: string) => void;
}

export interface Setup {
  binding(): Promise<FoundBinding | null>;
  /** Fetches what is missing; calls that come together share one run. Never throws: see `notReady`. */
  prepare(): Promise<void>;
  /** Starts fetching unless that is not wanted or has failed just now. @returns the error for who cannot wait */
  notReady(): MochiError;
  stop(): Promise<void>;
}

/** After a failure the next request tries again, but not at once. Milliseconds. */
const RETRY_AFTER_FAILURE_MS = 30_000;
/** A report at every so many percent. */
const REPORT_STEP = 10;

export function createSetup(options: SetupOptions): Setup {
  const { dataDir, puller, report } = options;
  const abort = new AbortController();
  const progress = createReporter(report);
  let underway: Promise<void> | null = null;
  let failure: { readonly error: MochiError; readonly at: number } | null = null;

  async function run(): Promise<void> {
    if ((await findBinding(dataDir)) === null) {
      for await (const step of installBinding(dataDir, abort.signal)) progress.tell(step);
    }
    if ((await puller.folder.list()).length === 0) await pullFirst();
    const names = (await puller.folder.list()).map(({ model }) => model.name);
    report(`The embedded engine is ready.${names.every(isToy) ? onlyToy() : ''}`);
  }

  /** What was named and no other; else the default where it can be had, and the toy where it cannot. */
  async function pullFirst(): Promise<void> {
    const named = findInCatalogue(options.defaultModel ?? '');
    if (named !== null) return pull(named);
    try {
      checkRoom(DEFAULT_MODEL, options.freeMemory());
      await pull(DEFAULT_MODEL);
    } catch (error) {
      abort.signal.throwIfAborted();
      if (!(error instanceof MochiError)) throw error;
      const { reasons = [error.message] } = error.details;
      report(`${String(reasons)} Fetching ${TOY_MODEL.name} instead: ${TOY_WARNING}.`);
      await pull(TOY_MODEL, error.kind === 'model_pull_failed');
    }
  }

  async function pull({ name }: CatalogueEntry, hubIsDown = false): Promise<void> {
    const request = { name, allowsUrl: false, sha256: null, signal: abort.signal, hubIsDown };
    for await (const step of pullModel(puller, request)) progress.tell(step);
  }

  function prepare(): Promise<void> {
    underway ??= run()
      .then(() => {
        failure = null;
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        failure = { error: asNotReady(error), at: performance.now() };
        report(failure.error.message);
      })
      .finally(() => {
        underway = null;
      });
    return underway;
  }

  return {
    binding: () => findBinding(dataDir),
    prepare,
    notReady() {
      if (!options.downloadsEnabled) return switchedOff();
      if (failure !== null && performance.now() - failure.at < RETRY_AFTER_FAILURE_MS) return failure.error;
      if (underway === null) progress.forget();
      void prepare();
      return new MochiError(
        'engine_not_ready',
        `The embedded engine is being set up; try again in a moment. ${progress.text}`.trim(),
        { is_underway: true, progress: progress.last },
      );
    },
    async stop() {
      abort.abort();
      await underway;
    },
  };
}

interface Reporter {
  readonly last: PullProgress | null;
  /** Where it stands, with its percentage. */
  readonly text: string;
  tell(progress: PullProgress): void;
  forget(): void;
}

/** Reports the first word of a download, and then every tenth part of it. */
function createReporter(report: (text: string) => void): Reporter {
  let last: PullProgress | null = null;
  let told = '';
  return {
    get last() {
      return last;
    },
    get text() {
      return last === null ? '' : `Now: ${inWords(last, 1)}`;
    },
    tell(progress) {
      last = progress;
      const text = inWords(progress, REPORT_STEP);
      if (text !== told) report(text);
      told = text;
    },
    forget() {
      last = null;
    },
  };
}

function inWords({ status, completed, total }: PullProgress, step: number): string {
  if (completed === null || total === null || total === 0) return status;
  const percent = Math.floor((completed / total) * 100);
  return `${status}: ${percent - (percent % step)} %`;
}

/** @throws MochiError insufficient_memory */
function checkRoom(entry: CatalogueEntry, free: number): void {
  const needed = memoryFor(entry);
  if (needed <= free) return;
  const [wanted, found] = [needed, free].map((bytes) => Math.round(bytes / 1_048_576));
  throw new MochiError(
    'insufficient_memory',
    `${entry.name} needs about ${wanted} MB of memory, and ${found} MB are free.`,
  );
}

function onlyToy(): string {
  return ` Its model ${TOY_MODEL.name} is ${TOY_WARNING}; one that converses: ${ownCommand(`pull ${DEFAULT_MODEL.name}`)}`;
}

function asNotReady(error: unknown): MochiError {
  const reason = error instanceof MochiError ? error.message : 'The data folder cannot be written.';
  const isBinding = error instanceof MochiError && error.kind === 'engine_not_ready';
  const ways = ` Ways out: (1) let npm reach its registry (HTTPS_PROXY, npm config); (2) install it by hand: ${ownCommand('doctor')} prints the command; (3) run Ollama, and name it with MOCHI_OLLAMA_HOST.`;
  return new MochiError('engine_not_ready', `${reason}${isBinding ? ways : ''}`);
}

function switchedOff(): MochiError {
  return new MochiError(
    'engine_not_ready',
    `The embedded engine or its model is not installed, and fetching is switched off (MOCHI_DOWNLOADS_ENABLED). Run \`${ownCommand(`pull ${DEFAULT_MODEL.name}`)}\` for the model, \`${ownCommand('doctor')}\` for the engine, or run Ollama.`,
  );
}
