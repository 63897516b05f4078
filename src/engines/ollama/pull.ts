// Fetching and deleting models of an Ollama. Facts: docs/api.md of ollama/ollama, "Pull a Model".
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { startDeadline } from '../deadline.ts';
import { foreignReason } from '../foreign-reason.ts';
import { askForText, sendOllama } from './ask-ollama.ts';
import { broken, EXCERPT_LENGTH, garbled, unreachable } from './failures.ts';
import type { OllamaHttp } from './ollama-http.ts';
import { NdjsonError, readNdjson } from './read-ndjson.ts';
import { errorText, isRecord } from './wire.ts';

/** Verifying a large model on a slow disk takes minutes without a word. */
const SILENCE_MS = 30 * 60_000;
/** A day of progress, ten lines a second. */
const MAX_BYTES = 256 * 1024 * 1024;

/** @throws MochiError model_pull_failed, ollama_unreachable, ollama_error; the signal's reason */
export async function* pullOllamaModel(
  http: OllamaHttp,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<PullProgress, void> {
  const silent = new AbortController();
  const deadline = startDeadline(SILENCE_MS, () => silent.abort());
  const either = AbortSignal.any([signal, silent.signal]);
  let hasBegun = false;
  try {
    const body = { model: name, stream: true };
    const response = await sendOllama(http, { method: 'POST', path: '/api/pull', body, signal: either });
    let isComplete = false;
    for await (const lines of readNdjson(response, { maxBytes: MAX_BYTES })) {
      hasBegun = true;
      deadline.extend(SILENCE_MS);
      for (const line of lines) {
        const progress = toProgress(line);
        if (progress === null) continue;
        isComplete = progress.status === 'success';
        yield progress;
      }
    }
    if (!isComplete) throw failed('its answer ended early.');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (silent.signal.aborted) throw failed(`it said nothing for ${SILENCE_MS / 60_000} minutes.`);
    if (error instanceof MochiError) throw error;
    if (error instanceof NdjsonError) throw garbled(error.message);
    throw hasBegun ? broken(error) : unreachable(error, http.address);
  } finally {
    deadline.stop();
  }
}

/** @returns whether it was there */
export async function deleteOllamaModel(
  http: OllamaHttp,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await askForText(http, { method: 'DELETE', path: '/api/delete', body: { model: name }, signal });
    return true;
  } catch (error) {
    if (error instanceof MochiError && error.kind === 'model_not_found') return false;
    throw error;
  }
}

/** @throws MochiError model_pull_failed for a line that is an error */
function toProgress(line: unknown): PullProgress | null {
  const failure = errorText(line);
  if (failure !== null) throw failed(pullReason(failure));
  if (!isRecord(line)) return null;
  const status = typeof line['status'] === 'string' ? line['status'] : '';
  const { digest } = line;
  return {
    status,
    completed: countOf(line['completed']),
    total: countOf(line['total']),
    ...(typeof digest === 'string' && { digest }),
  };
}

/** Ollama passes on what its network library says; what people can mend is told in plain words. */
function pullReason(text: string): string {
  const said = cutText(text, EXCERPT_LENGTH);
  if (/file does not exist|manifest unknown/i.test(text)) {
    return `its library has no model of this name (${said}).`;
  }
  const host = /https?:\/\/([^/\s"]+)/.exec(text)?.[1] ?? /lookup ([\w.-]+)/.exec(text)?.[1];
  const reason = foreignReason(text);
  if (reason === null) return `${said.replace(/\.$/, '')}.`;
  const from = host === undefined ? 'Its library' : `Its library at ${host.split('@').at(-1)}`;
  return `${from} could not be reached from there: ${reason}.`;
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function failed(reason: string): MochiError {
  return new MochiError('model_pull_failed', `Ollama could not fetch the model: ${reason}`);
}
