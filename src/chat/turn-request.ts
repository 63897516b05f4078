// A chat request after validation, with its defaults filled in.
import type { BusyPolicy, ChatMode, ChatRequest, EngineOptions } from '../contract/chat.ts';
import type { Think } from '../contract/engine.ts';

export interface TurnRequest {
  /** Null: answer what is there, see `mode`. */
  readonly message: string | null;
  readonly mode: ChatMode;
  readonly think: Think;
  readonly options: EngineOptions;
  readonly format: 'json' | Readonly<Record<string, unknown>> | null;
  readonly images: readonly string[];
  readonly onBusy: BusyPolicy;
}

export function toTurnRequest(body: ChatRequest): TurnRequest {
  return {
    message: body.message ?? null,
    mode: body.mode ?? 'regenerate',
    think: body.think ?? false,
    options: body.options ?? {},
    format: body.format ?? null,
    images: body.images ?? [],
    onBusy: body.on_busy ?? 'queue',
  };
}
