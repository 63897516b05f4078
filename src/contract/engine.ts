// The one port to what runs models. A second engine is a folder that implements this and a line in server.ts.
import type { MochiError } from './errors.ts';
import type { FinishReason, Role } from './message.ts';
import type { Model } from './model.ts';

export type Think = boolean | 'low' | 'medium' | 'high';

/** A tool call as it passes between model and mochi. Arguments that were not a JSON object stay a string. */
export interface EngineToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>> | string;
  /** The model wrote it as its answer; missing: the engine read it as a call. */
  readonly origin?: 'text';
}

/** A tool that the model may ask for. */
export interface EngineTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface EngineMessage {
  readonly role: Role;
  readonly content: string;
  readonly thinking?: string;
  readonly images?: readonly string[];
  readonly toolCalls?: readonly EngineToolCall[];
  /** Tool messages: which call this answers. */
  readonly toolCallId?: string;
  readonly toolName?: string;
}

export interface EngineChatRequest {
  readonly model: string;
  readonly messages: readonly EngineMessage[];
  readonly think: Think;
  /** In the order in which the model sees them; missing: it is offered none, and what looks like a call is text. */
  readonly tools?: readonly EngineTool[];
  /** Context window in tokens; null leaves it to the engine. */
  readonly window: number | null;
  /** Sampling and limits by their common names: temperature, top_p, seed, num_predict, stop … */
  readonly options: Readonly<Record<string, unknown>>;
  /** Structured output: any JSON, or JSON that fits a schema. */
  readonly format?: 'json' | Readonly<Record<string, unknown>>;
  /** How long the model is to be held afterwards, in the engine's own words; missing: as the engine does. */
  readonly keepAlive?: string | number;
  /** It is this text that is completed, in the place of a chat; the messages tell how long it is. */
  readonly completion?: EngineCompletion;
  /** Nobody waits for it: no reason to keep the model in memory any longer. */
  readonly isBackground?: boolean;
}

/** A text that goes on, as it is or in a template of its own. */
export interface EngineCompletion {
  readonly prompt: string;
  /** What is to come after the answer; for models that can fill a gap. */
  readonly suffix?: string;
  /** Without any template. */
  readonly raw?: boolean;
  readonly system?: string;
  readonly template?: string;
  /** Tokens of what was said before, as the engine gave them. */
  readonly context?: readonly number[];
  readonly images?: readonly string[];
}

export interface EngineEmbedRequest {
  readonly model: string;
  readonly input: readonly string[];
  /** Whether a text that is too long is cut; missing: as the engine does. */
  readonly truncate?: boolean;
  readonly dimensions?: number;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly keepAlive?: string | number;
}

export interface EngineEmbeddings {
  /** One for each text, in their order. */
  readonly vectors: readonly (readonly number[])[];
  readonly promptTokens: number | null;
  /** Milliseconds. */
  readonly totalMs: number | null;
  readonly loadMs: number | null;
}

/** A call of an engine's own API for its models, handed through. */
export interface ForwardedCall {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly path: string;
  /** Bytes with their type; null: none. */
  readonly body: { readonly bytes: string | AsyncIterable<Uint8Array>; readonly type: string | null } | null;
}

export interface ForwardedAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Token counts and durations (milliseconds) of one model call; null where the engine did not say. */
export interface EngineUsage {
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly loadMs: number | null;
  readonly promptEvalMs: number | null;
  readonly evalMs: number | null;
  /** How long it waited in the engine for the end of others; missing where the engine does not say. */
  readonly waitedMs?: number;
}

export type EngineChunk =
  | { readonly type: 'content'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'tool_call'; readonly call: EngineToolCall }
  | {
      readonly type: 'done';
      /** Null where the engine did not say, or said what is not known here. */
      readonly reason: FinishReason | null;
      readonly usage: EngineUsage;
    };

/** A model with what planning needs to know of it. */
export interface EngineModel extends Model {
  /** Trained context length in tokens; null when the engine does not say. */
  readonly trainedLength: number | null;
  /** Window in tokens that the operator gave the model (`num_ctx` of a Modelfile); null: none. */
  readonly wishedWindow: number | null;
  /**
   * What the engine puts before every conversation of itself (SYSTEM and MESSAGE of a Modelfile); a system message of it
   * only where the conversation has none. Absent: nothing.
   */
  readonly ownPrompt?: readonly EngineMessage[];
  /** What the name stands for now: another one when another model was put under it; null: the engine has no such thing. */
  readonly digest: string | null;
  /** What is loaded for it: names of the same weights share one place in the engine's memory. */
  readonly weights: string;
  /** When it came or was changed last, ISO 8601; missing where the engine does not say. */
  readonly modifiedAt?: string;
  /** On disk; missing: as `size_mb` says, about. */
  readonly sizeBytes?: number;
  /** How many chats with it the engine answers at once; missing where it does not say. */
  readonly parallel?: number;
  /** Capabilities of which the engine says neither that it has them nor that it has not. */
  readonly untold?: readonly string[];
}

/** Unknown is not no: what the engine has not told is tried, and so is everything where it could not be asked. */
export function mayDo(model: EngineModel | null, capability: string): boolean {
  if (model === null || model.capabilities.includes(capability)) return true;
  return model.untold?.includes(capability) ?? false;
}

/** A model in the memory of the engine. */
export interface EngineLoadedModel {
  /** The name that loaded it: others may share it. */
  readonly model: string;
  readonly digest: string | null;
  readonly weights: string;
  /** Context window in tokens with which it is held; null while it is being loaded. */
  readonly window: number | null;
  /** How long it stays from now on when nobody uses it, in milliseconds; null when the engine does not say. */
  readonly expiresInMs: number | null;
}

export interface EngineHealth {
  readonly reachable: boolean;
  readonly version: string | null;
  /** Why it cannot be reached, where that is known. */
  readonly problem?: MochiError;
  /** Where an Ollama might answer beside it, and whether it does. */
  readonly ollama?: { readonly reachable: boolean; readonly address: string };
}

/** How far the fetching of a model is. Bytes; null where the engine does not say. */
export interface PullProgress {
  readonly status: string;
  /** Of the part that is fetched; missing where the engine has no such thing. */
  readonly digest?: string;
  readonly completed: number | null;
  readonly total: number | null;
}

export interface Engine {
  readonly name: string;
  /** Where it runs, without credentials; shown by /health. */
  readonly address: string;
  /**
   * One model call. Yields what arrived together as one batch, so that one read becomes one write.
   * Ends after a `done` chunk; throws a MochiError for every other end. Returning the iterator or
   * aborting the signal closes the request to the engine at once.
   */
  chat(request: EngineChatRequest, signal: AbortSignal): AsyncIterable<readonly EngineChunk[]>;
  /** The same for a request with a `completion`. Missing: it only chats. */
  complete?(request: EngineChatRequest, signal: AbortSignal): AsyncIterable<readonly EngineChunk[]>;
  /** Vectors of texts. Missing: it makes none. @throws MochiError */
  embed?(request: EngineEmbedRequest, signal: AbortSignal): Promise<EngineEmbeddings>;
  /** Missing: it has no API of its own. @throws MochiError when it cannot be asked; whatever it answers is an answer */
  forward?(call: ForwardedCall, signal: AbortSignal): Promise<ForwardedAnswer>;
  /** Brings a model into memory. Missing: its first chat does. @throws MochiError */
  loadModel?(
    name: string,
    wish: { readonly window: number | null; readonly keepAlive: string | number | null },
    signal: AbortSignal,
  ): Promise<void>;
  /** Models that can chat, in the engine's order. */
  listModels(): Promise<readonly EngineModel[]>;
  /** For who names none; null where nothing is installed. @throws MochiError while a first one is being fetched */
  defaultModel(): Promise<EngineModel | null>;
  /** One model by name (a missing tag means `:latest`), fresh from the engine; null when it is not installed. */
  findModel(name: string): Promise<EngineModel | null>;
  /** The same from memory where it is known: no request then. */
  recallModel(name: string): Promise<EngineModel | null>;
  /** What is installed, in a sentence for errors about a model that is not. Never throws. */
  inventory(): Promise<string>;
  /** What `chat` would send for a request, for people to read. Asks nobody. */
  describe(request: EngineChatRequest): Readonly<Record<string, unknown>>;
  /** How often it was seen to go away: it may have been started anew since. Absent: it never does unseen. */
  departures?(): number;
  /** All models in memory. @throws MochiError when the engine cannot be asked */
  listLoaded(): Promise<readonly EngineLoadedModel[]>;
  /** Frees the memory of a model once nobody is answered by it. Missing: the engine looks after itself. @throws MochiError */
  unloadModel?(name: string): Promise<void>;
  /** Fetches a model; ends when it can be used. Leaving the iteration stops it. @throws MochiError */
  pullModel(name: string, signal: AbortSignal): AsyncIterable<PullProgress>;
  /** @returns whether it was there */
  deleteModel(name: string): Promise<boolean>;
  /** Fetches what a first chat needs and is missing, where an engine has such a thing. Never throws. */
  prepare?(): Promise<void>;
  /** Never throws; answers within two seconds. */
  health(): Promise<EngineHealth>;
  close(): Promise<void>;
}
