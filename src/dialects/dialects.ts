// The list. A new dialect: a folder, and a line here.
import { aiSdk } from './ai-sdk/ai-sdk.ts';
import { anthropic } from './anthropic/anthropic.ts';
import type { Dialect, DialectName } from './dialect.ts';
import { ollama } from './ollama/ollama.ts';
import { openAiChat } from './openai-chat/openai-chat.ts';
import { openAiResponses } from './openai-responses/openai-responses.ts';
import { v1 } from './v1/v1.ts';

/** In the order in which they are asked whose a path is. */
export const DIALECTS: readonly Dialect[] = [aiSdk, anthropic, openAiResponses, openAiChat, v1, ollama];

/** Those that the operator wants. */
export function dialectsOf(names: readonly DialectName[]): readonly Dialect[] {
  return DIALECTS.filter((dialect) => dialect.names.some((name) => names.includes(name)));
}

/** Below which the same paths are about a session. */
const SESSION_PREFIX = /^\/s\/[^/]+(?=\/)/;

/** Whose a path is; null: nobody's, as all of our own. */
export function dialectOf(dialects: readonly Dialect[], path: string): Dialect | null {
  const inner = path.replace(SESSION_PREFIX, '');
  return dialects.find((dialect) => dialect.owns(inner)) ?? null;
}
