// How an answer is wanted, whatever it answers.
import type { EngineOptions } from '../contract/chat.ts';
import type { Think } from '../contract/engine.ts';
import type { ClientToolDefinition } from '../tools/client-tools.ts';

/** Whether the model is to call a tool: as it likes, none, any, or this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface AnswerWishes {
  /** Null: as the model does of itself, which is to think where it can. */
  readonly think: Think | null;
  readonly options: EngineOptions;
  readonly format: 'json' | Readonly<Record<string, unknown>> | null;
  /** Run by the client. */
  readonly clientTools: readonly ClientToolDefinition[];
  readonly toolChoice: ToolChoice;
  /** Whether one message may ask for several tools. */
  readonly isParallel: boolean;
  /** Tokens that the window is to hold at the least, as far as the operator's limit allows; null: as it comes. */
  readonly windowAtLeast: number | null;
  /** How long the engine is to hold the model afterwards, in its own words; null: as it does. */
  readonly keepAlive: string | number | null;
}

/** What goes without saying. */
export const USUAL_WISHES: AnswerWishes = {
  think: false,
  options: {},
  format: null,
  clientTools: [],
  toolChoice: 'auto',
  isParallel: true,
  windowAtLeast: null,
  keepAlive: null,
};
