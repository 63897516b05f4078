// The models of the engine, and those that are being fetched.
import { signal } from '@preact/signals';
import { isMochiError, MochiError, type Model, type ServerEvent } from '../../src/client/index.ts';
import { newest } from '../../src/client/store/newest.ts';
import { t } from '../lang/text.ts';
import { attempt, engineWait, mochi, problem } from './server.ts';

/** Null: not read yet. */
export const models = signal<readonly Model[] | null>(null);

export interface Pull {
  readonly status: string;
  /** Bytes; null: not known. */
  readonly completed: number | null;
  readonly total: number | null;
}

export const pulls = signal<ReadonlyMap<string, Pull>>(new Map());

/** Why they could not be read; null: nothing is known against it. */
export const modelsFault = signal<MochiError | null>(null);

export async function refreshModels(): Promise<void> {
  const found = await newestList(listModels);
  if (found === null) return;
  modelsFault.value = found.fault;
  if (found.fault !== null) return;
  models.value = found.models;
  engineWait.value = null;
}

const newestList = newest();

async function listModels() {
  try {
    return { models: (await mochi.models.list()).models, fault: null };
  } catch (error) {
    if (!isMochiError(error)) throw error;
    return { models: null, fault: error };
  }
}

/** Those that this page has asked for: it is told more of them than others are, until it leaves them. */
const asked = new Map<string, AbortController>();
/** A pull goes on while any tab holds it. */
const stops = new BroadcastChannel('mochi.stop-pull');
stops.addEventListener('message', ({ data }: MessageEvent<string>) => asked.get(data)?.abort());
/** Of those, the ones that failed: this page has said why, and is told once more that they did. */
const failed = new Set<string>();

/** It goes on when the page is closed. @returns whether it is there now */
export async function pullModel(name: string): Promise<boolean> {
  if (asked.has(name)) return false;
  const leaving = new AbortController();
  asked.set(name, leaving);
  failed.delete(name);
  show(name, { status: '', completed: null, total: null });
  try {
    const options = { leave: 'continue', signal: leaving.signal } as const;
    for await (const { event, data } of mochi.models.pull(name, options)) {
      if (event === 'progress') show(name, data);
      if (event === 'error') throw new MochiError({ code: data.code, message: `${name}: ${data.message}` });
    }
    await refreshModels();
    return true;
  } catch (error) {
    if (leaving.signal.aborted) return false;
    if (!isMochiError(error)) throw error;
    problem.value = error;
    failed.add(name);
    return false;
  } finally {
    asked.delete(name);
    show(name, null);
  }
}

/** Wherever in this browser it was asked for; what was fetched of it is kept by the engine. */
export async function stopPull(name: string): Promise<void> {
  asked.get(name)?.abort();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- Of a window, not of a channel.
  stops.postMessage(name);
  await attempt(async () => {
    // The newest request decides what leaving means, and this one leaves at once.
    for await (const _progress of mochi.models.pull(name, { leave: 'cancel' })) break;
  });
}

/** Asked for by another tab or device, or by this page before it was loaded anew. */
export function hearPull({ name, completed, total, state }: PullTold): void {
  if (asked.has(name)) return;
  if (state === 'running') show(name, { status: '', completed, total });
  else {
    if (state === 'failed' && pulls.value.has(name) && !failed.delete(name))
      problem.value = new MochiError({ code: 'model_pull_failed', message: `${name}: ${t.first.failed}` });
    show(name, null);
    void refreshModels();
  }
}

type PullTold = Extract<ServerEvent, { event: 'pull' }>['data'];

function show(name: string, pull: Pull | null): void {
  const next = new Map(pulls.value);
  if (pull === null) next.delete(name);
  else next.set(name, pull);
  pulls.value = next;
}
