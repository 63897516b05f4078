// What a fake is started with, and what tests can change about it while it runs.
import type { RequestBody } from './chat-request.ts';
import type { ChatScript } from './chat-script.ts';
import { defaultModels, type FakeModel } from './fake-model.ts';
import type { Fault } from './fault.ts';
import { createLoadedModels, type LoadedModels } from './loaded-models.ts';
import { createPrograms, type ProgramOptions, type Programs, programModels } from './programs.ts';

/** Everything has a default. */
export type FakeOllamaOptions = {
  readonly port?: number;
  readonly host?: string;
  readonly models?: readonly FakeModel[];
  /** Default: 0.33.0. Below 0.30, /api/tags tells no capabilities. */
  readonly version?: string;
  /** Installs a model for each named program. */
  readonly programs?: boolean | ProgramOptions;
  /** How long a load or reload takes. */
  readonly loadDelayMs?: number;
  /** How far its clock is ahead of ours; negative: behind. */
  readonly clockOffsetMs?: number;
  /** The window when neither the request nor the model sets num_ctx. Default: 4096. */
  readonly defaultWindow?: number;
  /** Answers of one runner at once; Ollama's own default is 1. Default: no limit. */
  readonly parallel?: number;
};

/** A script, or a function that makes one from the request. */
export type ScriptSource = ChatScript | ((body: RequestBody) => ChatScript);

/** The state that the endpoints share. */
export type FakeState = {
  models: FakeModel[];
  readonly version: string;
  loadDelayMs: number;
  readonly clockOffsetMs: number;
  defaultReply: ScriptSource | null;
  readonly replies: ScriptSource[];
  readonly faults: Map<string, Fault>;
  readonly programs: Programs;
  readonly loaded: LoadedModels;
  /** Pulls stop half-way until this resolves; null: they do not. */
  pullGate: Promise<void> | null;
  /** Parts of models that clients have sent, by digest. */
  readonly blobs: Map<string, string>;
  /** Answers that outgrew the window, by name with tag. */
  readonly shifts: Record<string, number>;
};

export function createState(options: FakeOllamaOptions): FakeState {
  const chosen = options.programs ?? false;
  const programs = createPrograms(typeof chosen === 'object' ? chosen : {});
  return {
    models: [...(options.models ?? defaultModels), ...(chosen === false ? [] : programModels(programs))],
    version: options.version ?? '0.33.0',
    loadDelayMs: options.loadDelayMs ?? 0,
    clockOffsetMs: options.clockOffsetMs ?? 0,
    defaultReply: null,
    replies: [],
    faults: new Map(),
    programs,
    pullGate: null,
    loaded: createLoadedModels(options.defaultWindow ?? 4096, options.parallel ?? Number.POSITIVE_INFINITY),
    blobs: new Map(),
    shifts: {},
  };
}
