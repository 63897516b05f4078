// What the server and the engine process say to each other, as JSON over the channel of a forked process.
import type { EngineChatRequest, EngineChunk } from '../../contract/engine.ts';
import type { ErrorKindName } from '../../contract/errors.ts';

/** One chat, with everything that the process needs for it: it keeps no list of models of its own. */
export interface ProcessChat extends Omit<EngineChatRequest, 'model' | 'window'> {
  readonly modelPath: string;
  /** Tokens. Another window than the loaded one makes a new context: that is the reload. */
  readonly window: number;
}

export type ProcessCommand =
  | { readonly type: 'chat'; readonly id: number; readonly chat: ProcessChat }
  | { readonly type: 'abort'; readonly id: number };

export type ProcessReply =
  | { readonly type: 'chunks'; readonly id: number; readonly chunks: readonly EngineChunk[] }
  /** Always last for an id, after its chunks; `failure` is null for a finished and for an aborted chat. */
  | { readonly type: 'ended'; readonly id: number; readonly failure: ProcessFailure | null };

export interface ProcessFailure {
  readonly kind: ErrorKindName;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
