// What the embedded engine needs before its first chat: the native binding and a model. Fetched once, on demand.
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { DEFAULT_MODEL } from './catalogue.ts';
import { type FoundBinding, findBinding } from './find-binding.ts';
import { BINDING_VERSION, installBinding } from './install-binding.ts';
import { type Puller, pullModel } from './pull-model.ts';

export interface SetupOptions {
  readonly dataDir: string;
  readonly puller: Puller;
  /** false: nothing is ever fetched unasked. */
  readonly downloadsEnabled: boolean;
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

export function createSetup({ dataDir, puller, downloadsEnabled, report }: SetupOptions): Setup {
  const abort = new AbortController();
  let underway: Promise<void> | null = null;
  let status = '';
  let failure: { readonly error: MochiError; readonly at: number } | null = null;

  function tell(text: string): void {
    status = text;
    report(text);
  }

  async function run(): Promise<void> {
    if ((await findBinding(dataDir)) === null) {
      tell(`Fetching the embedded engine (node-llama-cpp ${BINDING_VERSION}, 85 MB on disk) through npm …`);
      await installBinding(dataDir, abort.signal);
    }
    if ((await puller.folder.list()).length === 0) await pullDefault();
    report('The embedded engine is ready.');
  }

  async function pullDefault(): Promise<void> {
    const request = { name: DEFAULT_MODEL.name, allowsUrl: false, sha256: null, signal: abort.signal };
    const told = createPercentReporter(tell);
    for await (const progress of pullModel(puller, request)) status = told(progress);
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
      if (!downloadsEnabled) return switchedOff();
      if (failure !== null && performance.now() - failure.at < RETRY_AFTER_FAILURE_MS) return failure.error;
      if (underway === null) status = '';
      void prepare();
      return new MochiError(
        'engine_not_ready',
        `The embedded engine is being set up; try again in a moment. ${status}`.trim(),
        { is_underway: true },
      );
    },
    async stop() {
      abort.abort();
      await underway;
    },
  };
}

/** The first word of a download, and then every tenth part of it. @returns the newest status as text */
function createPercentReporter(tell: (text: string) => void): (progress: PullProgress) => string {
  let told = '';
  return ({ status, completed, total }) => {
    const percent = total === null || completed === null ? null : Math.floor((completed / total) * 100);
    const shown = percent === null ? null : percent - (percent % REPORT_STEP);
    const text = `Model: ${status}${shown === null ? '' : `, ${shown} %`}`;
    if (text !== told) tell(text);
    told = text;
    return text;
  };
}

function asNotReady(error: unknown): MochiError {
  const reason = error instanceof MochiError ? error.message : 'The data folder cannot be written.';
  const isBinding = error instanceof MochiError && error.kind === 'engine_not_ready';
  const ways =
    ' Ways out: (1) let npm reach its registry (HTTPS_PROXY, npm config); (2) install it by hand: `mochi-server doctor` prints the command; (3) run Ollama, and name it with MOCHI_OLLAMA_HOST.';
  return new MochiError('engine_not_ready', `${reason}${isBinding ? ways : ''}`);
}

function switchedOff(): MochiError {
  return new MochiError(
    'engine_not_ready',
    `The embedded engine or its model is not installed, and fetching is switched off (MOCHI_DOWNLOADS_ENABLED). Run \`mochi-server pull ${DEFAULT_MODEL.name}\` for the model, \`mochi-server doctor\` for the engine, or run Ollama.`,
  );
}
